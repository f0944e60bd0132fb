"use client";
import { Button, CopyButton, Group, Modal, TextInput } from "@mantine/core";
import { IconCheck, IconCopy, IconExternalLink } from "@tabler/icons-react";
import dynamic from "next/dynamic";
import { useTranslations } from "next-intl";
import css from "./screens.module.css";

/** The drawing program is loaded with the first code; the link stands above it meanwhile. */
const QrCode = dynamic(() => import("#/components/ui/qr-code.tsx").then(({ QrCode: Code }) => Code), { ssr: false });

/** A link as the server gave it, this once. */
export type MadeLink = { id: number; name: string; token: string; base: string | null };

/** The link of a display, to be opened on its screen: to copy, or to read off with a phone. */
export function LinkDialog({ made, onClose }: { made: MadeLink; onClose: () => void }) {
  const t = useTranslations("screens");
  const app = useTranslations("app");
  const url = `${made.base ?? window.location.origin}/display/${made.token}`;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("linkTitle", { name: made.name, number: made.id })}
      size="lg"
      centered
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": app("close") }}
    >
      <div className={css.made}>
        <p className={css.once}>{t("linkOnce")}</p>
        <TextInput label={t("link")} value={url} readOnly onFocus={(event) => event.currentTarget.select()} data-link />
        <Group>
          <CopyButton value={url}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy} leftSection={copied ? <IconCheck size={18} /> : <IconCopy size={18} />}>
                {t(copied ? "copied" : "copy")}
              </Button>
            )}
          </CopyButton>
          <Button component="a" href={url} target="_blank" rel="noreferrer" variant="default" leftSection={<IconExternalLink size={18} />}>
            {t("openHere")}
          </Button>
        </Group>
        <div className={css.qr}>
          <QrCode text={url} label={t("qr")} />
        </div>
        <p>{t("linkHow")}</p>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("linkDone")}</Button>
        </Group>
      </div>
    </Modal>
  );
}
