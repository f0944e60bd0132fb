"use client";
import { Alert, Button, Group } from "@mantine/core";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import css from "./edit-form.module.css";
import type { EditFormState } from "./use-edit-form.ts";

type Props<Values extends Record<string, unknown>> = {
  state: EditFormState<Values>;
  /** For the comparison when someone else saved first: each value by its name on screen. */
  labels: Partial<Record<keyof Values & string, string>>;
  show?: (value: unknown, path: keyof Values & string) => ReactNode;
  save?: string;
  onCancel?: () => void;
  /** Longer than a screen: the buttons stay in reach. */
  isLong?: boolean;
  /** Further buttons, at the left of the row. */
  others?: ReactNode;
  children: ReactNode;
};

/** Fields, what went wrong, and the buttons. Enter saves. */
export function EditForm<Values extends Record<string, unknown>>({
  state,
  labels,
  show = plain,
  save,
  onCancel,
  isLong = false,
  others,
  children,
}: Props<Values>) {
  const t = useTranslations("form");
  return (
    <form onSubmit={state.submit} noValidate className={css.form} aria-busy={state.isSaving}>
      {children}
      {state.conflict && <Conflict state={state} labels={labels} show={show} />}
      {state.fault && (
        <Alert role="alert" color="red" variant="light" title={t("notSaved")}>
          {state.fault}
        </Alert>
      )}
      <Group justify="space-between" className={css.buttons} data-long={isLong || undefined}>
        <Group>{others}</Group>
        <Group>
          {onCancel && (
            <Button variant="default" onClick={onCancel} disabled={state.isSaving}>
              {t("cancel")}
            </Button>
          )}
          <Button type="submit" loading={state.isSaving} disabled={state.conflict !== null}>
            {save ?? t("save")}
          </Button>
        </Group>
      </Group>
    </form>
  );
}

function Conflict<Values extends Record<string, unknown>>({ state, labels, show }: Required<Pick<Props<Values>, "state" | "labels" | "show">>) {
  const t = useTranslations("form");
  const mine = state.form.getValues();
  const theirs = state.conflict?.values ?? mine;
  const paths = (Object.keys(labels) as (keyof Values & string)[]).filter((path) => JSON.stringify(mine[path]) !== JSON.stringify(theirs[path]));
  return (
    <Alert role="alert" color="yellow" variant="outline" className={css.conflict} title={t("conflictTitle")}>
      <p className={css.what}>{paths.length === 0 ? t("conflictSame") : t("conflictWhat")}</p>
      {paths.length > 0 && (
        <div className={css.scroll}>
          <table className={css.both}>
            <thead>
              <tr>
                <th scope="col">{t("field")}</th>
                <th scope="col">{t("yours")}</th>
                <th scope="col">{t("theirs")}</th>
              </tr>
            </thead>
            <tbody>
              {paths.map((path) => (
                <tr key={path}>
                  <th scope="row">{labels[path]}</th>
                  <td>{show(mine[path], path)}</td>
                  <td>{show(theirs[path], path)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Group mt="sm" className={css.choice}>
        <Button variant="default" onClick={state.takeTheirs}>
          {t("takeTheirs")}
        </Button>
        <Button color="red" variant="filled" loading={state.isSaving} onClick={() => void state.keepMine()}>
          {t("keepMine")}
        </Button>
      </Group>
    </Alert>
  );
}

const plain = (value: unknown): ReactNode =>
  value === null || value === undefined || value === "" ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);
