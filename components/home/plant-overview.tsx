"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useFormatter, useTranslations } from "next-intl";
import { TroubleBanner, useTroubleSentence } from "#/components/boards/trouble-banner.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useSite } from "#/components/frame/sites.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { StateMark } from "#/components/states/state-mark.tsx";
import { hourMinute, offsetOf, placeOf } from "#/components/ui/clock.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useDuration } from "#/components/ui/use-duration.ts";
import { useNow } from "#/components/ui/use-now.ts";
import type { LineSummary } from "#/server/boards/service.ts";
import css from "./plant-overview.module.css";

const againEveryMs = 5_000;

/** The first screen: every line of every site, live, each a way to its board. */
export function PlantOverview() {
  const t = useTranslations("home");
  const trpc = useTRPC();
  const may = useMay();
  const [only] = useSite();
  const query = useQuery(trpc.boards.plant.queryOptions(undefined, { refetchInterval: againEveryMs }));
  const now = useNow(query.data?.at ?? 0);
  const trouble = query.data?.trouble ?? null;
  const isOld = query.data !== undefined && now - query.data.at > 60_000;
  return (
    <>
      <PageHead title={t("title")} />
      {trouble && (
        <div className={css.trouble}>
          <TroubleBanner trouble={trouble} now={now} />
        </div>
      )}
      <QueryState query={query} lines={8}>
        {query.data?.sites.length === 0 && (
          <section className={css.empty}>
            <h2>{t("emptyTitle")}</h2>
            <p>{t("emptyWhat")}</p>
            {may("plant.change") ? (
              <>
                <Button component={Link} href="/plant">
                  {t("emptySetUp")}
                </Button>
                <p>{t("emptyFile")}</p>
                <pre>npm run plant -- apply plant.yaml</pre>
                <p>{t("emptyOr")}</p>
                <pre>npm run demo</pre>
              </>
            ) : (
              <p>{t("emptyAsk")}</p>
            )}
          </section>
        )}
        {query.data?.sites
          .filter(({ key }) => only === null || key === only)
          .map((site) => (
            <section key={site.key} className={css.site} data-lost={trouble !== null || isOld || undefined}>
              <h2>
                {site.name}{" "}
                <small
                  className={css.here}
                  suppressHydrationWarning
                >{`${hourMinute(now, site.zone)} ${placeOf(site.zone)}, ${offsetOf(now, site.zone)}`}</small>
              </h2>
              <ul className={css.lines}>
                {site.areas.flatMap((area) =>
                  area.lines.map((line) => (
                    <li key={line.address}>
                      <LineCard line={line} area={area.name} now={now} lost={trouble !== null || line.trouble !== null || isOld} />
                    </li>
                  )),
                )}
              </ul>
            </section>
          ))}
      </QueryState>
    </>
  );
}

function LineCard({ line, area, now, lost }: { line: LineSummary; area: string; now: number; lost: boolean }) {
  const t = useTranslations("home");
  const states = useTranslations("states");
  const number = useFormatter();
  const duration = useDuration();
  const troubleSentence = useTroubleSentence();
  const running = line.machines.filter((machine) => machine.kind === "run").length;
  const share = line.expected && line.made !== null ? Math.min(1, line.made / line.expected) : null;
  const count = (n: number) => number.number(Math.round(n));
  return (
    <Link
      href={`/board/${line.address}`}
      className={css.card}
      data-state={
        lost
          ? "unknown"
          : line.worst?.kind === "down"
            ? "down"
            : line.machines.length === 0
              ? "unknown"
              : running > 0
                ? "run"
                : (line.machines[0]?.kind ?? "unknown")
      }
    >
      <h3>
        <span>{area}</span>
        {line.name}
      </h3>
      <p className={css.machines}>
        {line.machines.map((machine) => (
          <span key={machine.name} title={`${machine.name}: ${states(`kind.${machine.kind}`)}`}>
            <StateMark kind={lost ? "unknown" : machine.kind} />
          </span>
        ))}
        <b>{line.machines.length === 0 ? t("noMachines") : lost ? states("lost") : t("running", { n: running, of: line.machines.length })}</b>
      </p>
      <p className={css.sentence} suppressHydrationWarning>
        {sentence()}
      </p>
      <p className={css.pieces}>
        {line.made === null
          ? t("noCount")
          : line.expected === null
            ? t("pieces", { n: count(line.made) })
            : t("piecesOf", { n: count(line.made), of: count(line.expected) })}
        <small className={css.shift}>{line.shift ?? t("noShift")}</small>
      </p>
      <div className={css.bar} aria-hidden="true">
        {share !== null && <u style={{ width: `${share * 100}%` }} />}
      </div>
    </Link>
  );

  function sentence(): string {
    if (line.machines.length === 0) return t("addMachines");
    if (lost) return line.trouble ? troubleSentence(line.trouble, now) : "";
    const { worst } = line;
    if (!worst) return running === line.machines.length ? t("allRun") : "";
    const state = states(`kind.${worst.kind}`);
    const since = worst.sinceAt === null ? "" : duration(now - worst.sinceAt);
    return t(worst.reason ? "worstBecause" : "worst", { machine: worst.name, state, since, reason: worst.reason ?? "" });
  }
}
