"use client";
import { Alert, Button, Group } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect, useRef } from "react";
import css from "./edit-form.module.css";
import type { ThreeWay } from "./three-way.ts";
import type { EditFormState } from "./use-edit-form.ts";
import { useAskToLeave } from "./use-unsaved-warning.ts";

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

/** Fields, what went wrong, and the buttons. Enter saves; Cancel asks where something is unsaved. */
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
  const ask = useAskToLeave();
  const conflict = useRef<HTMLDivElement>(null);
  const fault = useRef<HTMLDivElement>(null);
  // However long the form is: what stands in the way of saving is seen, and is where the keyboard is.
  const { conflict: found, fault: said } = state;
  useEffect(() => {
    if (found) bring(conflict.current);
  }, [found]);
  useEffect(() => {
    if (said) bring(fault.current);
  }, [said]);
  return (
    <form onSubmit={state.submit} noValidate className={css.form} aria-busy={state.isSaving}>
      {children}
      <div ref={conflict} tabIndex={-1} className={css.brought}>
        {state.conflict && state.changes && <Conflict state={state} theirs={state.conflict.values} changes={state.changes} labels={labels} show={show} />}
      </div>
      <div ref={fault} tabIndex={-1} className={css.brought}>
        {state.fault && (
          <Alert role="alert" color="red" variant="light" title={t("notSaved")}>
            {state.fault}
          </Alert>
        )}
      </div>
      <Group justify="space-between" className={css.buttons} data-long={isLong || undefined}>
        <Group>{others}</Group>
        <Group>
          {state.conflict && (
            <p className={css.notYet}>
              {t("conflictAtButtons")}{" "}
              <button type="button" onClick={() => bring(conflict.current)}>
                {t("conflictShow")}
              </button>
            </p>
          )}
          {onCancel && (
            <Button variant="default" onClick={() => (state.isUnsaved ? ask(onCancel) : onCancel())} disabled={state.isSaving}>
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

/** Into the middle of the window, with the focus. */
function bring(part: HTMLElement | null): void {
  part?.focus({ preventScroll: true });
  part?.scrollIntoView({ block: "center" });
}

type ConflictProps<Values extends Record<string, unknown>> = Required<Pick<Props<Values>, "state" | "labels" | "show">> & { theirs: Values; changes: ThreeWay };

/** Who changed what: where both did, one must give way; what only one of them changed is kept of both. */
function Conflict<Values extends Record<string, unknown>>({ state, theirs, changes, labels, show }: ConflictProps<Values>) {
  const t = useTranslations("form");
  const mine = state.form.getValues();
  const named = (paths: readonly string[]) => paths.filter((path) => labels[path] !== undefined);
  const [both, onlyTheirs, onlyMine] = [named(changes.both), named(changes.theirs), named(changes.mine)];
  const hasMine = changes.both.length + changes.mine.length > 0;
  return (
    <Alert role="alert" color="yellow" variant="outline" className={css.conflict} title={t("conflictTitle")}>
      {!hasMine && <p className={css.what}>{t("conflictSame")}</p>}
      {both.length > 0 && (
        <>
          <p className={css.what}>{t("conflictBoth")}</p>
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
                {both.map((path) => (
                  <tr key={path}>
                    <th scope="row">{labels[path]}</th>
                    <td>{show(mine[path], path)}</td>
                    <td>{show(theirs[path], path)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      <One title={t("conflictTheirs")} paths={onlyTheirs} values={theirs} labels={labels} show={show} />
      {hasMine && <One title={t("conflictMine")} paths={onlyMine} values={mine} labels={labels} show={show} />}
      <Group mt="sm" className={css.choice}>
        <Button variant="default" onClick={state.takeTheirs}>
          {t(hasMine ? "dropMine" : "takeTheirs")}
        </Button>
        {hasMine && (
          <Button color={both.length > 0 ? "red" : undefined} variant="filled" loading={state.isSaving} onClick={() => void state.saveOnTop()}>
            {t(both.length > 0 ? "saveMineOnTop" : "saveBoth")}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

type OneProps<Values extends Record<string, unknown>> = Required<Pick<Props<Values>, "labels" | "show">> & {
  title: string;
  paths: readonly string[];
  values: Values;
};

/** What one of the two changed alone. */
function One<Values extends Record<string, unknown>>({ title, paths, values, labels, show }: OneProps<Values>) {
  if (paths.length === 0) return null;
  return (
    <>
      <p className={css.what}>{title}</p>
      <dl className={css.one}>
        {paths.map((path) => (
          <div key={path}>
            <dt>{labels[path]}</dt>
            <dd>{show(values[path], path)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

const plain = (value: unknown): ReactNode =>
  value === null || value === undefined || value === "" ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);
