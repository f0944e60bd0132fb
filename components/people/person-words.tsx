"use client";
import { useFormatter, useTranslations } from "next-intl";
import type { ListedPerson } from "#/server/people/administration.ts";
import type { Membership, PersonState } from "#/server/people/queries.ts";
import css from "./people.module.css";

export type SiteName = { id: number; name: string };

/** A role and where it is held: "Operator · Werk Nord, 2 lines". */
export function useMembershipWords(sites: readonly SiteName[]): (membership: Pick<Membership, "role" | "siteId" | "lineIds">) => string {
  const t = useTranslations("people");
  const roleName = useTranslations("roles");
  return ({ role, siteId, lineIds }) => {
    const site = siteId === null ? t("allSites") : (sites.find(({ id }) => id === siteId)?.name ?? t("anotherSite"));
    return `${roleName(role)} · ${site}${lineIds.length > 0 ? `, ${t("lines", { n: lineIds.length })}` : ""}`;
  };
}

/** The roles that the viewer is told of; that there are others elsewhere, without saying which. */
export function Roles({ person, sites }: { person: Pick<ListedPerson, "memberships" | "isElsewhere">; sites: readonly SiteName[] }) {
  const t = useTranslations("people");
  const words = useMembershipWords(sites);
  if (person.memberships.length === 0 && !person.isElsewhere) return <span className={css.dim}>{t("noRoles")}</span>;
  return (
    <ul className={css.roles}>
      {person.memberships.map((membership) => (
        <li key={`${membership.role}@${membership.siteId}`}>{words(membership)}</li>
      ))}
      {person.isElsewhere && <li>{t("elsewhere")}</li>}
    </ul>
  );
}

const kindOf = { active: "run", invited: "changeover", disabled: "planned_stop" } as const satisfies Record<PersonState, string>;

/** Colour, shape and word. */
export function State({ state }: { state: PersonState }) {
  const t = useTranslations("people.state");
  return (
    <span className={css.state} data-state={kindOf[state]}>
      <svg viewBox="0 0 14 14" aria-hidden="true">
        {state === "active" && <circle cx="7" cy="7" r="6" fill="currentColor" />}
        {state === "invited" && <path d="M7 .5 13.500 7 7 13.500.5 7z" fill="currentColor" />}
        {state === "disabled" && <path d="M1.500 1.500h11v11h-11z" fill="none" stroke="currentColor" strokeWidth="2.500" />}
      </svg>
      {t(state)}
    </span>
  );
}

/** A day and time in the viewer's own words and zone. */
export function useMoment(): (at: number) => string {
  const format = useFormatter();
  return (at) => format.dateTime(at, { dateStyle: "medium", timeStyle: "short", timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone });
}
