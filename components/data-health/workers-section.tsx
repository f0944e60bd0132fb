"use client";
import type { UseQueryResult } from "@tanstack/react-query";
import type { TRPCClientErrorLike } from "@trpc/client";
import type { inferRouterOutputs } from "@trpc/server";
import { useFormatter, useTranslations } from "next-intl";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useDuration } from "#/components/ui/use-duration.ts";
import { useNow } from "#/components/ui/use-now.ts";
import type { AppRouter } from "#/server/router.ts";
import css from "./data-health.module.css";
import { useReason } from "./use-reason.ts";
import { colourOf, startCommand, workerState } from "./worker-state.ts";

type Outputs = inferRouterOutputs<AppRouter>["dataHealth"];
export type HealthQuery<Name extends keyof Outputs> = UseQueryResult<Outputs[Name], TRPCClientErrorLike<AppRouter>>;
type Worker = Outputs["workers"]["workers"][number];

/** Is the ingest worker alive, and does everything that it received have an outcome? */
export function WorkersSection({ query }: { query: HealthQuery<"workers"> }) {
  const t = useTranslations("health");
  const now = useNow(query.data?.at ?? 0);
  return (
    <section id="workers" className={css.section}>
      <h2>{t("workers")}</h2>
      <p>{t("workersWhat")}</p>
      <QueryState query={query} lines={3}>
        {query.data?.workers.length === 0 ? (
          <div className={css.worker} data-state="down">
            <h3>
              <strong>{t("neverSeen")}</strong>
            </h3>
            <HowToStart />
          </div>
        ) : (
          <div className={css.workers}>
            {query.data?.workers.map((worker) => (
              <WorkerCard key={worker.name} worker={worker} now={now} />
            ))}
          </div>
        )}
      </QueryState>
    </section>
  );
}

function WorkerCard({ worker, now }: { worker: Worker; now: number }) {
  const t = useTranslations("health");
  const number = useFormatter();
  const age = useAge();
  const duration = useDuration();
  const reason = useReason();
  const connected = (is: boolean | null) => (is === null ? t("notUsed") : is ? t("connected") : t("notConnected"));
  const reasons = Object.entries(worker.setAside)
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1]);
  const state = workerState(worker);
  const isMissed = state !== "stands_by" && state !== "replaced"; // else it need not be connected
  return (
    <article className={css.worker} data-state={colourOf[state]} aria-label={t("workerNamed", { name: worker.name })}>
      <h3>
        {worker.name}
        <strong>{worker.alive ? t(`workerState.${state}`) : t("away", { since: duration(now - worker.seenAt) })}</strong>
        <small suppressHydrationWarning>
          {worker.alive
            ? t("seenRunning", { seen: age(now - worker.seenAt), running: duration(now - worker.startedAt) })
            : t("lastSeen", { seen: age(now - worker.seenAt) })}
        </small>
      </h3>
      {worker.alive && worker.trouble !== "" && <p className={css.inItsWay}>{worker.trouble}</p>}
      {state === "replaced" && <p>{t("replaced")}</p>}
      {state === "away" && <HowToStart name={worker.name} />}
      <dl className={css.facts}>
        <Fact label={t("rate")} value={worker.alive ? t("perSecond", { n: rounded(worker.valuesPerS) }) : "–"} />
        <Fact
          label={t("batch")}
          value={worker.batchMs.p50 === null ? "–" : t("batchMs", { p50: Math.round(worker.batchMs.p50), p99: Math.round(worker.batchMs.p99 ?? 0) })}
        />
        <Fact
          label={t("broker")}
          value={worker.alive && worker.mqttConnected && !worker.subscribed ? t("notSubscribed") : connected(worker.alive && worker.mqttConnected)}
          bad={isMissed && (!worker.alive || !worker.mqttConnected || !worker.subscribed)}
          hint={worker.brokerUrl}
        />
        <Fact
          label="Sparkplug"
          value={connected(worker.sparkplugConnected === null ? null : worker.alive && worker.sparkplugConnected)}
          bad={isMissed && worker.sparkplugConnected === false}
        />
        <Fact label={t("database")} value={connected(worker.alive && worker.databaseOk)} bad={isMissed && (!worker.alive || !worker.databaseOk)} />
        <Fact label={t("topics")} value={worker.filters.join(", ") || "–"} />
        <Fact label={t("plantRevision")} value={worker.plantRevision === null ? "–" : number.number(worker.plantRevision)} />
      </dl>
      <p className={css.balance} data-bad={worker.unaccounted !== 0 || undefined} title={t("balance")}>
        <Part n={worker.received} word={t("received")} /> <i>=</i> <Part n={worker.written} word={t("written")} /> <i>+</i>{" "}
        <Part n={worker.duplicate} word={t("duplicate")} /> <i>+</i> <Part n={worker.setAsideTotal} word={t("setAside")} /> <i>+</i>{" "}
        <Part n={worker.held} word={t("held")} />
        {worker.unaccounted !== 0 && <strong>{t("unaccounted", { n: number.number(worker.unaccounted) })}</strong>}
      </p>
      {reasons.length > 0 && (
        <p className={css.reasons}>{t("setAsideBy", { reasons: reasons.map(([code, n]) => `${reason(code)} ${number.number(n)}`).join(", ") })}</p>
      )}
    </article>
  );
}

/** A summand of the balance. */
function Part({ n, word }: { n: number; word: string }) {
  const number = useFormatter();
  return (
    <span>
      <b>{number.number(n)}</b> {word}
    </span>
  );
}

/** Tenths where they say something. */
const rounded = (perS: number) => (perS < 10 ? Math.round(perS * 10) / 10 : Math.round(perS));

function Fact({ label, value, bad, hint }: { label: string; value: string; bad?: boolean; hint?: string | null }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd data-bad={bad || undefined}>
        {value}
        {hint && <span className={css.sub}>{hint}</span>}
      </dd>
    </div>
  );
}

function HowToStart({ name }: { name?: string }) {
  const t = useTranslations("health");
  return (
    <div className={css.start}>
      {t("startIt")}
      <pre>{startCommand(name)}</pre>
      <span className={css.sub}>{t("startDemo")}</span>
    </div>
  );
}
