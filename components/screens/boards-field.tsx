"use client";
import { ActionIcon, NumberInput, Select } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import css from "./screens.module.css";

export type ChosenBoard = { lineId: number; shownS: number };
export type BoardChoice = { lineId: number; name: string; areaName: string };

type Props = {
  value: readonly ChosenBoard[];
  /** Of the site; null: none is chosen yet. */
  choices: readonly BoardChoice[] | null;
  onChange: (boards: ChosenBoard[]) => void;
  /** Of the field with this path: `boards`, `boards.0.shownS`. */
  errorAt: (path: string) => ReactNode;
};

const usualS = 30;

/** Which boards, in which order, and for how long each. */
export function BoardsField({ value, choices, onChange, errorAt }: Props) {
  const t = useTranslations("screens");
  const left = (choices ?? []).filter(({ lineId }) => !value.some((board) => board.lineId === lineId));
  const labelOf = (lineId: number) => {
    const line = choices?.find((choice) => choice.lineId === lineId);
    return line ? `${line.name} · ${line.areaName}` : `${lineId}`;
  };
  const move = (from: number, to: number) => {
    const boards = [...value];
    boards.splice(to, 0, ...boards.splice(from, 1));
    onChange(boards);
  };
  return (
    <fieldset className={css.group}>
      <legend>{t("boardsHead")}</legend>
      {value.length > 0 && (
        <ol className={css.boards}>
          {value.map((board, n) => {
            const label = labelOf(board.lineId);
            return (
              <li key={board.lineId}>
                <p>{label}</p>
                <NumberInput
                  aria-label={t("secondsOf", { board: label })}
                  suffix=" s"
                  min={5}
                  max={3_600}
                  allowDecimal={false}
                  value={board.shownS}
                  onChange={(shownS) => onChange(value.map((other) => (other === board ? { ...other, shownS: Number(shownS) } : other)))}
                  error={errorAt(`boards.${n}.shownS`)}
                />
                <span className={css.moves}>
                  <ActionIcon variant="subtle" size={36} aria-label={t("moveUp", { board: label })} disabled={n === 0} onClick={() => move(n, n - 1)}>
                    <IconArrowUp size={18} />
                  </ActionIcon>
                  <ActionIcon
                    variant="subtle"
                    size={36}
                    aria-label={t("moveDown", { board: label })}
                    disabled={n === value.length - 1}
                    onClick={() => move(n, n + 1)}
                  >
                    <IconArrowDown size={18} />
                  </ActionIcon>
                  <ActionIcon
                    variant="subtle"
                    color="red"
                    size={36}
                    aria-label={t("remove", { board: label })}
                    onClick={() => onChange(value.filter((other) => other !== board))}
                  >
                    <IconX size={18} />
                  </ActionIcon>
                </span>
              </li>
            );
          })}
        </ol>
      )}
      <Select
        label={t("addBoard")}
        placeholder={choices === null ? t("siteFirst") : left.length === 0 ? t("noBoardLeft") : t("addBoardWhich")}
        disabled={left.length === 0}
        data={left.map((line) => ({ value: `${line.lineId}`, label: `${line.name} · ${line.areaName}` }))}
        value={null}
        searchable
        onChange={(lineId) => lineId !== null && onChange([...value, { lineId: Number(lineId), shownS: usualS }])}
        error={errorAt("boards")}
      />
    </fieldset>
  );
}
