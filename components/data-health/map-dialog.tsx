"use client";
import { Button, Modal, NativeSelect, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { inferRouterInputs } from "@trpc/server";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { AppRouter } from "#/server/router.ts";
import css from "./data-health.module.css";
import { Topic } from "./topic.tsx";
import type { UnknownData, UnknownValue } from "./unknown-section.tsx";

export type MapInput = inferRouterInputs<AppRouter>["dataHealth"]["map"];
type NewSignal = Extract<MapInput, { to: "new" }>;

const roles: readonly NewSignal["role"][] = [
  "measurement",
  "energy",
  "state",
  "good_count",
  "reject_count",
  "rework_count",
  "total_count",
  "fault_code",
  "job",
  "product",
];

/** Hints below their fields, so that fields side by side stand level. */
const belowInput: InputWrapperOrder = ["label", "input", "description", "error"];
type InputWrapperOrder = ("label" | "input" | "description" | "error")[];

type Props = {
  value: UnknownValue | null;
  data: UnknownData;
  isBusy: boolean;
  failure: string | null;
  onSubmit: (input: MapInput) => void;
  onClose: () => void;
};

/** Which signal is this? One that there is, or a new one on a known machine. */
export function MapDialog({ value, data, isBusy, failure, onSubmit, onClose }: Props) {
  const t = useTranslations("health");
  const onPhone = useMediaQuery("(max-width: 799px)");
  return (
    <Modal opened={value !== null} onClose={onClose} title={t("whichSignal")} size="lg" fullScreen={onPhone} closeButtonProps={{ "aria-label": t("close") }}>
      {value && <MapForm value={value} data={data} isBusy={isBusy} failure={failure} onSubmit={onSubmit} onClose={onClose} />}
    </Modal>
  );
}

function MapForm({ value, data, isBusy, failure, onSubmit, onClose }: Props & { value: UnknownValue }) {
  const t = useTranslations("health");
  const { path } = value;
  const [way, setWay] = useState<"signal" | "new">(path.suggestedSignalId !== null ? "signal" : "new");
  const [signalId, setSignalId] = useState<string | null>(path.suggestedSignalId === null ? null : String(path.suggestedSignalId));
  const [machineId, setMachineId] = useState<string | null>(value.machineId === null ? null : String(value.machineId));
  const [fields, setFields] = useState({
    key: path.key,
    name: path.name || path.key,
    role: path.role as NewSignal["role"],
    unit: path.unit,
    counterMode: "cumulative" as "cumulative" | "increment",
  });
  const isCount = fields.role.endsWith("_count");
  const fitting = data.signals.filter((signal) => signal.mappingForm === (value.metric === null ? "json" : "sparkplug"));
  const where = { topic: value.topic, metric: value.metric, path: path.path };
  const ready = way === "signal" ? signalId !== null : machineId !== null && fields.key !== "" && fields.name.trim() !== "";

  const submit = () => {
    if (way === "signal" && signalId !== null) onSubmit({ ...where, to: "signal", signalId: Number(signalId) });
    if (way === "new" && machineId !== null)
      onSubmit({ ...where, to: "new", machineId: Number(machineId), ...fields, counterMode: isCount ? fields.counterMode : null });
  };

  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div>
        <Topic topic={value.topic} />
        <span className={css.sub}>{t("valueIs", { value: String(path.value), where: value.metric ?? (path.path === "" ? t("whole") : path.path) })}</span>
      </div>
      <SegmentedControl
        aria-label={t("whichSignal")}
        value={way}
        onChange={(next) => setWay(next === "new" ? "new" : "signal")}
        data={[
          { value: "signal", label: t("existing") },
          { value: "new", label: t("newSignal") },
        ]}
      />
      {way === "signal" ? (
        <Select
          label={t("signal")}
          searchable
          limit={100}
          nothingFoundMessage={t("noneMatch")}
          value={signalId}
          onChange={setSignalId}
          comboboxProps={{ withinPortal: true }}
          data={fitting.map((signal) => ({ value: String(signal.id), label: `${signal.machinePath}/${signal.key} (${t(`role.${signal.role}`)})` }))}
        />
      ) : (
        <>
          <Select
            label={t("machine")}
            searchable
            limit={100}
            nothingFoundMessage={t("noneMatch")}
            value={machineId}
            onChange={setMachineId}
            required
            data={data.machines.map((machine) => ({ value: String(machine.id), label: `${machine.name} (${machine.path})` }))}
          />
          <div className={css.pair}>
            <TextInput
              label={t("key")}
              description={t("keyWhat")}
              inputWrapperOrder={belowInput}
              value={fields.key}
              onChange={(event) => setFields({ ...fields, key: event.currentTarget.value })}
              required
            />
            <TextInput
              label={t("name")}
              description={t("nameWhat")}
              inputWrapperOrder={belowInput}
              value={fields.name}
              onChange={(event) => setFields({ ...fields, name: event.currentTarget.value })}
              required
            />
          </div>
          <div className={css.pair}>
            <NativeSelect
              label={t("roleLabel")}
              value={fields.role}
              onChange={(event) => setFields({ ...fields, role: roles.find((role) => role === event.currentTarget.value) ?? fields.role })}
              data={roles.map((role) => ({ value: role, label: t(`role.${role}`) }))}
            />
            <TextInput
              label={t("unit")}
              description={t("unitWhat")}
              inputWrapperOrder={belowInput}
              value={fields.unit}
              onChange={(event) => setFields({ ...fields, unit: event.currentTarget.value })}
            />
          </div>
          {isCount && (
            <NativeSelect
              label={t("counterMode")}
              value={fields.counterMode}
              onChange={(event) => setFields({ ...fields, counterMode: event.currentTarget.value === "increment" ? "increment" : "cumulative" })}
              data={[
                { value: "cumulative", label: t("cumulative") },
                { value: "increment", label: t("increment") },
              ]}
            />
          )}
        </>
      )}
      {failure && (
        <p role="alert" className={css.bad}>
          {failure}
        </p>
      )}
      <div className={css.buttons}>
        <Button variant="default" onClick={onClose}>
          {t("cancel")}
        </Button>
        <Button type="submit" disabled={!ready} loading={isBusy}>
          {t("mapAndRetry", { n: value.letters })}
        </Button>
      </div>
    </form>
  );
}
