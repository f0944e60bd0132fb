"use client";
import { TextInput } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useEffect, useMemo, useState } from "react";
import door from "./door.module.css";
import { initialsOf } from "./initials.ts";
import { PinPad } from "./pin-pad.tsx";
import css from "./terminal.module.css";

export type TerminalPerson = { id: string; name: string; hasPin: boolean };

/** More names than fit on a screen are searched. */
const manyPeople = 12;
/** The list of names follows joiners and leavers without anybody touching the terminal. */
const refreshMs = 5 * 60_000;

export function TerminalScreen({ name, place, people }: { name: string; place: string; people: readonly TerminalPerson[] }) {
  const t = useTranslations("identity.terminal");
  const router = useRouter();
  const [chosen, setChosen] = useState<TerminalPerson | null>(null);
  const [search, setSearch] = useState("");
  useEffect(() => {
    const timer = setInterval(() => router.refresh(), refreshMs);
    return () => clearInterval(timer);
  }, [router]);
  const shown = useMemo(() => {
    const wanted = search.trim().toLocaleLowerCase();
    return people.filter((person) => person.name.toLocaleLowerCase().includes(wanted));
  }, [people, search]);

  if (chosen) return <PinPad person={chosen} onBack={() => setChosen(null)} />;
  return (
    <section className={css.screen}>
      <div className={css.head}>
        <div>
          <h1>{t("who")}</h1>
          <p>{t("where", { name, place })}</p>
        </div>
        {people.length > manyPeople && (
          <TextInput
            className={css.find}
            size="lg"
            aria-label={t("find")}
            placeholder={t("find")}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        )}
      </div>
      {shown.length === 0 ? (
        <p>{people.length === 0 ? t("nobody") : t("noneFound")}</p>
      ) : (
        <ul className={css.people}>
          {shown.map((person) => (
            <li key={person.id}>
              <button type="button" className={css.person} data-without={!person.hasPin || undefined} onClick={() => setChosen(person)}>
                <span className={css.initials} aria-hidden="true">
                  {initialsOf(person.name)}
                </span>
                <span className={css.words}>
                  <bdi>{person.name}</bdi>
                  {!person.hasPin && <small>{t("noPin")}</small>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <a href="/sign-in" className={door.link}>
        {t("withPassword")}
      </a>
    </section>
  );
}
