"use client";
import { Alert, Skeleton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import dynamic from "next/dynamic";
import { useTranslations } from "next-intl";
import { FormDialog } from "#/components/ui/form-dialog.tsx";
import css from "./map-dialog.module.css";
import { valueKey } from "./mapping-values.ts";
import type { UnknownData, UnknownValue } from "./unknown-section.tsx";

/** Loaded when somebody maps something: it is an eighth of the page's program. */
const MapForm = dynamic(() => import("./map-form.tsx").then((file) => file.MapForm), { loading: () => <Skeleton height={400} /> });

type Props = {
  value: UnknownValue | null;
  data: UnknownData;
  /** What became of the value before this one, of the same message. */
  said: string | null;
  /** letters: that are being tried again. used: where value and time lie in the message. */
  onMapped: (letters: number, used: readonly (string | null)[]) => void;
  onClose: () => void;
};

/** Which signal is this? One that there is, or a new one on a known machine; and what the messages become with it, before it is saved. */
export function MapDialog({ value, data, said, onMapped, onClose }: Props) {
  const t = useTranslations("health");
  const onPhone = useMediaQuery("(max-width: 799px)");
  return (
    <FormDialog
      opened={value !== null}
      onClose={onClose}
      title={t("whichSignal")}
      size="min(1360px, 94vw)"
      yOffset="4dvh"
      fullScreen={onPhone}
      closeButtonProps={{ "aria-label": t("close") }}
      classNames={{ body: css.body }}
    >
      {value && said && (
        <Alert role="status" color="green" variant="light">
          {said}
        </Alert>
      )}
      {value && <MapForm key={valueKey(value)} value={value} data={data} onMapped={onMapped} onCancel={onClose} />}
    </FormDialog>
  );
}
