"use client";
import { useFormatter, useTranslations } from "next-intl";
import { StateMark } from "#/components/states/state-mark.tsx";
import { StateStrip } from "#/components/states/state-strip.tsx";
import { hourMinute } from "#/components/ui/clock.ts";
import { useAge } from "#/components/ui/use-age.ts";
import { useDuration } from "#/components/ui/use-duration.ts";
import type { Picture, Tile } from "#/server/boards/picture-types.ts";
import { BoardLink } from "./board-link.tsx";
import { countForm, cycleForm } from "./figures.ts";
import css from "./machine-tile.module.css";

/** A figure is never cut off: longer than usual, it is smaller. */
const Figure = ({ text }: { text: string }) => <b style={{ "--letters": text.length } as React.CSSProperties}>{text}</b>;

/** A machine on the board. `lost`: the board's own way to the machine is cut, so that nothing of it is known now. */
export function MachineTile({ tile, picture, now, lost }: { tile: Tile; picture: Picture; now: number; lost: boolean }) {
  const t = useTranslations("board");
  const states = useTranslations("states");
  const number = useFormatter();
  const duration = useDuration();
  const age = useAge();
  const zone = picture.line.zone;
  const kind = lost || tile.missing ? "unknown" : tile.kind;
  const cycle = (s: number) => number.number(s, cycleForm(s));
  const count = (n: number | null) => (n === null ? "–" : number.number(Math.round(n), countForm(n)));
  const share = tile.expectedShift && tile.piecesShift !== null ? Math.min(1, tile.piecesShift / tile.expectedShift) : null;
  const since = tile.sinceAt === null ? null : duration(now - tile.sinceAt);

  return (
    <article className={css.tile} data-state={kind} data-lost={lost || undefined} aria-label={tile.name}>
      <div className={css.inside}>
        <header className={css.name}>
          <StateMark kind={kind} className={css.mark} />
          <h2>{tile.name}</h2>
        </header>
        <p className={css.state}>
          <strong>{word()}</strong>
          {!lost && !tile.missing && since !== null && <span suppressHydrationWarning>{tile.sinceEarlier ? t("atLeast", { since }) : since}</span>}
        </p>
        <p className={css.why}>{why()}</p>
        <div className={css.numbers}>
          <p>
            <Figure text={count(tile.piecesHour)} />
            <small>{t("thisHour")}</small>
          </p>
          <p>
            <Figure text={count(tile.piecesShift)} />
            <small>{tile.expectedShift === null ? (picture.shift ? t("thisShift") : t("lastHours")) : t("ofByNow", { n: count(tile.expectedShift) })}</small>
          </p>
          <p>
            <Figure text={tile.lastCycleS === null || kind !== "run" ? "–" : cycle(tile.lastCycleS)} />
            <small>{tile.idealCycleS === null ? t("cycle") : t("cycleIdeal", { ideal: cycle(tile.idealCycleS) })}</small>
          </p>
        </div>
        <div className={css.bar} aria-hidden="true">
          {share !== null && <u style={{ width: `${share * 100}%` }} />}
        </div>
        <StateStrip parts={tile.strip} from={picture.window.from} to={picture.window.to} className={css.strip} />
        <footer className={css.foot}>
          <BoardLink href={`/data-health?source=${encodeURIComponent(tile.sources[0] ?? "")}#sources`} suppressHydrationWarning>
            {tile.dataAt === null ? t("source") : t("dataAge", { age: age(now - tile.dataAt) })}
          </BoardLink>
          {tile.rejectsShift !== null && <span>{t("rejects", { n: tile.rejectsShift, shown: count(tile.rejectsShift) })}</span>}
        </footer>
      </div>
    </article>
  );

  function word(): string {
    if (tile.missing === "no_signals") return t("noSignals");
    if (lost) return states("lost");
    return tile.saidOffline ? t("saidOffline") : states(`kind.${kind}`);
  }

  function why(): string {
    if (tile.missing === "no_signals") return t("noSignalsHint");
    if (tile.missing === "never_sent") return t("neverSentHint", { source: tile.sources[0] ?? "" });
    if (lost) return t("lastKnown", { state: states(`kind.${tile.kind}`) });
    if (tile.saidOffline) return t("saidOfflineHint");
    if (tile.kind === "unknown" && tile.sinceAt === null && tile.dataAt !== null) return t("stateNever");
    if (tile.kind === "unknown") return tile.dataAt === null ? t("noDataEver") : t("lastValue", { at: hourMinute(tile.dataAt, zone) });
    if (tile.running) return t("runsUnscheduled");
    if (tile.stateUnknown) return t("stateNotKnown", { state: tile.stateName ?? "" });
    if (tile.reason) return tile.reason;
    if (tile.waitsFor) return t("waitsFor", { machine: tile.waitsFor });
    if (tile.kind === "run") return tile.product ?? "";
    if (tile.kind === "down") return tile.stateName && tile.stateName !== "Execute" ? tile.stateName : t("noReason");
    return "";
  }
}
