"use client";
import { IconLock } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTRPCClient } from "#/components/frame/trpc.ts";
import { ask } from "./ask.ts";
import css from "./presence.module.css";

type Props = {
  /** A shared terminal's name of who unlocked it, and the seconds without touch after which it locks; null: a browser of one's own. */
  terminal: { person: string; autoLockS: number } | null;
};

/** Who reads or scrolls without loading anything stays signed in: the server is told, this often at most. */
const tellEveryMs = 5 * 60_000;
/** The last seconds before the lock are shown. */
const soonS = 15;

/** Tells the server that somebody is at the screen; on a shared terminal, locks it when nobody is. */
export function Presence({ terminal }: Props) {
  const client = useTRPCClient();
  const lastInputAt = useRef(0);
  const lastToldAt = useRef(0);
  const everyMs = terminal ? (terminal.autoLockS * 1000) / 3 : tellEveryMs;
  useEffect(() => {
    lastInputAt.current = Date.now();
    lastToldAt.current = Date.now(); // the page itself has told
    const onInput = () => {
      lastInputAt.current = Date.now();
      if (Date.now() - lastToldAt.current < everyMs) return;
      lastToldAt.current = Date.now();
      client.account.present.mutate().catch(() => {
        lastToldAt.current = 0; // signed out or no network: the next input tells again, and what the page asks for shows it
      });
    };
    const kinds = ["pointerdown", "keydown", "wheel", "touchmove"] as const;
    for (const kind of kinds) window.addEventListener(kind, onInput, { passive: true });
    return () => {
      for (const kind of kinds) window.removeEventListener(kind, onInput);
    };
  }, [client, everyMs]);
  return terminal && <LockBar {...terminal} lastInputAt={lastInputAt} />;
}

function LockBar({ person, autoLockS, lastInputAt }: { person: string; autoLockS: number; lastInputAt: React.RefObject<number> }) {
  const t = useTranslations("identity.lock");
  const [left, setLeft] = useState(autoLockS);
  const locking = useRef(false);
  const lock = useCallback(async () => {
    if (locking.current) return;
    locking.current = true;
    // Without an answer the session still ends on the server by itself: it has not been told of anybody since.
    await ask("/sign-out");
    location.replace("/terminal");
  }, []);
  useEffect(() => {
    const timer = setInterval(() => {
      const now = Math.ceil(autoLockS - (Date.now() - lastInputAt.current) / 1000);
      setLeft(now);
      if (now <= 0) void lock();
    }, 500);
    return () => clearInterval(timer);
  }, [autoLockS, lastInputAt, lock]);
  const isSoon = left <= soonS;
  return (
    <div className={css.bar} data-soon={isSoon || undefined}>
      <span>
        <bdi>{person}</bdi> {isSoon && <small>{t("soon", { n: Math.max(0, left) })}</small>}
      </span>
      <button type="button" onClick={() => void lock()}>
        <IconLock size={20} aria-hidden="true" />
        {t("lock")}
      </button>
    </div>
  );
}
