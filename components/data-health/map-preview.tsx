"use client";
import { Button, Skeleton } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconX } from "@tabler/icons-react";
import { useFormatter, useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { useFieldWords } from "#/components/plant/field-words.ts";
import { dateAndTime, offsetOf } from "#/components/ui/clock.ts";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import dialog from "./map-dialog.module.css";
import css from "./map-preview.module.css";
import type { Preview, ReadMessage } from "./use-preview.ts";
import { useReason } from "./use-reason.ts";
import { useValue } from "./use-value.ts";

/** The last messages of the topic, newest first, and what each would become. */
export function MapPreview({ preview, zone }: { preview: Preview; zone: string }) {
  const t = useTranslations("health");
  const { messages, isPending, isBehind, fault } = preview;
  if (fault) return <PreviewFault preview={preview} fault={fault} />;
  if (isPending) return <Waiting />;
  if (messages.length === 0) return <p className={dialog.hint}>{t("map.noMessages")}</p>;
  return (
    <ol className={css.messages} data-behind={isBehind || undefined}>
      {messages.map((message, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two messages may be alike in all that they say
        <Message key={`${message.receivedAt} ${i}`} message={message} zone={zone} />
      ))}
    </ol>
  );
}

export const Waiting = () => (
  <div className={css.waiting}>
    {[96, 88, 92].map((width) => (
      <Skeleton key={width} height={64} width={`${width}%`} />
    ))}
  </div>
);

/** Why there is nothing to see: mostly a field of the signal that is not right yet. */
export function PreviewFault({ preview, fault }: { preview: Preview; fault: NonNullable<Preview["fault"]> }) {
  const t = useTranslations("health");
  const app = useTranslations("app");
  const words = useFieldWords("signal");
  if (fault.fields.length === 0)
    return (
      <Note state="down" title={fault.sentence}>
        <Button size="xs" variant="default" onClick={preview.retry}>
          {app("again")}
        </Button>
      </Note>
    );
  return (
    <Note state="blocked" title={t("map.notYet")}>
      {fault.fields.map(({ path, sentence }) => (
        <p key={path}>
          <b>{words.label(path.split(".")[0] ?? path)}</b>: {sentence}
        </p>
      ))}
    </Note>
  );
}

/** Something that whoever looks at the preview should know. */
export function Note({ state, title, children }: { state: "down" | "blocked"; title: string; children?: ReactNode }) {
  return (
    <div className={css.note} data-state={state} role="status">
      <strong className={css.title}>
        {state === "down" ? <IconX aria-hidden="true" /> : <IconAlertTriangle aria-hidden="true" />}
        {title}
      </strong>
      {children}
    </div>
  );
}

function Message({ message, zone }: { message: ReadMessage; zone: string }) {
  const t = useTranslations("health");
  const number = useFormatter();
  const age = useAge();
  const now = useNow(message.receivedAt);
  const { payload, size } = message;
  return (
    <li data-state={stateOf(message)}>
      <header>
        <Becomes message={message} />
        <time dateTime={new Date(message.receivedAt).toISOString()}>{t("ago", { age: age(now - message.receivedAt) })}</time>
      </header>
      <code className={css.payload}>
        {payload === null ? t("notText") : payload.slice(0, shownCharacters)}
        {payload !== null && payload.length > shownCharacters ? " …" : ""}
      </code>
      <small>
        {message.hasTime
          ? t("map.timeOfMessage", { time: `${dateAndTime(message.at, zone)} ${offsetOf(message.at, zone)}` })
          : message.code === null && t("map.timeOfReceipt")}
        {payload === null && ` ${t("bytes", { n: number.number(size) })}`}
      </small>
    </li>
  );
}

const shownCharacters = 400;

export const stateOf = ({ reason, meaning }: ReadMessage) => (reason !== null ? "down" : meaning === "unknown" ? "blocked" : "run");

/**
 * One message's result: the raw value and what it becomes, or why it would be set aside. Colour, shape and word say the same.
 * how: with all that is said of it; in a table, without what would stand in every row; or in one line.
 */
export function Becomes({ message, how = "whole" }: { message: ReadMessage; how?: "whole" | "row" | "line" }) {
  const t = useTranslations("health");
  const reason = useReason();
  const value = useValue();
  if (message.reason !== null)
    return (
      <span className={css.becomes} data-state="down">
        <strong className={css.result} data-aside>
          <IconX aria-hidden="true" />
          <span>{t("map.setAside", { why: reason(message.code ?? "") })}</span>
        </strong>
        {how !== "line" && <span className={css.why}>{message.reason}</span>}
      </span>
    );
  const shown = message.value === null && message.text === null ? t("noValue") : value(message);
  const raw = message.raw === null || message.raw === message.value ? null : String(message.raw);
  const isUnknown = message.meaning === "unknown";
  return (
    <span className={css.becomes} data-state={stateOf(message)}>
      <strong className={css.result}>
        {isUnknown ? <IconAlertTriangle aria-hidden="true" /> : <IconCheck aria-hidden="true" />}
        <span>
          {raw !== null && raw !== shown && message.meaning === null && <i>{raw} → </i>}
          {shown}
          {message.meaning !== null && <em> {t(`map.meaning.${message.meaning}` as "map.meaning.run")}</em>}
        </span>
      </strong>
      {how === "whole" && isUnknown && <span className={css.why}>{t("map.unknownState")}</span>}
    </span>
  );
}
