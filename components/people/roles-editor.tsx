"use client";
import { ActionIcon, Button, MultiSelect, NativeSelect } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import type { inferRouterOutputs } from "@trpc/server";
import { useTranslations } from "next-intl";
import { roles } from "#/server/domain/permission.ts";
import type { WantedMembership } from "#/server/people/rules.ts";
import type { AppRouter } from "#/server/router.ts";
import css from "./people.module.css";

export type Places = inferRouterOutputs<AppRouter>["people"]["places"];

type Props = {
  value: readonly WantedMembership[];
  onChange: (value: WantedMembership[]) => void;
  places: Places;
  /** By path: `memberships.0.siteId`. */
  errors: Readonly<Record<string, React.ReactNode>>;
};

/** Which roles somebody has, where, and (operators) on which lines. */
export function RolesEditor({ value, onChange, places, errors }: Props) {
  const t = useTranslations("people");
  const change = (index: number, part: Partial<WantedMembership>) => onChange(value.map((one, n) => (n === index ? { ...one, ...part } : one)));
  const add = () => {
    const [only] = places.places.length === 1 && !places.everywhere ? places.places : [];
    onChange([...value, { role: "viewer", siteId: only?.siteId ?? places.places[0]?.siteId ?? null, lineIds: [] }]);
  };
  return (
    <fieldset className={css.fieldset}>
      <legend>{t("roles")}</legend>
      {value.length === 0 && <p className={css.dim}>{t("noRolesYet")}</p>}
      {value.map((membership, index) => (
        <Role
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity of their own until they are saved
          key={index}
          membership={membership}
          places={places}
          error={(field) => errors[`memberships.${index}.${field}`]}
          onChange={(part) => change(index, part)}
          onRemove={() => onChange(value.filter((_, n) => n !== index))}
          number={index + 1}
        />
      ))}
      {errors.memberships && (
        <p className={css.fault} role="alert">
          {errors.memberships}
        </p>
      )}
      <div>
        <Button variant="default" leftSection={<IconPlus size={18} />} onClick={add}>
          {t("addRole")}
        </Button>
      </div>
    </fieldset>
  );
}

type RoleProps = {
  membership: WantedMembership;
  places: Places;
  number: number;
  error: (field: string) => React.ReactNode;
  onChange: (part: Partial<WantedMembership>) => void;
  onRemove: () => void;
};

const everywhere = "all";

function Role({ membership, places, number, error, onChange, onRemove }: RoleProps) {
  const t = useTranslations("people");
  const roleName = useTranslations("roles");
  const { role, siteId, lineIds } = membership;
  const place = places.places.find((one) => one.siteId === siteId);
  const known = (place?.lines ?? []).map(({ lineId, name, areaName }) => ({ value: String(lineId), label: `${name} (${areaName})` }));
  const gone = lineIds.filter((id) => !place?.lines.some(({ lineId }) => lineId === id)).map((id) => ({ value: String(id), label: t("retiredLine") }));
  const sites = places.places.map((one) => ({ value: String(one.siteId), label: one.siteName }));
  return (
    <div className={css.role}>
      <NativeSelect
        label={t("role")}
        aria-label={t("roleNumber", { n: number })}
        value={role}
        error={error("role")}
        onChange={(event) => {
          const chosen = roles.find((one) => one === event.currentTarget.value) ?? role;
          onChange({ role: chosen, lineIds: chosen === "operator" ? lineIds : [] });
        }}
        data={roles.map((one) => ({ value: one, label: roleName(one) }))}
      />
      <NativeSelect
        label={t("site")}
        aria-label={t("siteNumber", { n: number })}
        value={siteId === null ? everywhere : String(siteId)}
        error={error("siteId")}
        onChange={(event) => onChange({ siteId: event.currentTarget.value === everywhere ? null : Number(event.currentTarget.value), lineIds: [] })}
        data={places.everywhere ? [{ value: everywhere, label: t("allSites") }, ...sites] : sites}
      />
      <ActionIcon variant="default" size={36} aria-label={t("removeRole", { n: number })} onClick={onRemove}>
        <IconX size={18} />
      </ActionIcon>
      {role === "operator" && place && (
        <MultiSelect
          className={css.lines}
          label={t("ownLines")}
          description={t("ownLinesWhat")}
          placeholder={lineIds.length === 0 ? t("wholeSite") : ""}
          searchable
          clearable
          clearButtonProps={{ "aria-label": t("clearLines") }}
          nothingFoundMessage={t("noneMatch")}
          value={lineIds.map(String)}
          error={error("lineIds")}
          onChange={(ids) => onChange({ lineIds: ids.map(Number) })}
          data={[...known, ...gone]}
        />
      )}
    </div>
  );
}
