"use client";
import { Button, CopyButton, Group, Modal, TextInput } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import type { MadeToken } from "./token-form.tsx";
import css from "./tokens.module.css";

/** A token as the server gave it, this once. */
export function TokenDialog({ made, onClose }: { made: MadeToken; onClose: () => void }) {
  const t = useTranslations("tokens");
  const app = useTranslations("app");
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("madeTitle", { name: made.name })}
      size="lg"
      centered
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": app("close") }}
    >
      <div className={css.made}>
        <p className={css.once}>{t("madeOnce")}</p>
        <TextInput label={t("token")} value={made.token} readOnly onFocus={(event) => event.currentTarget.select()} data-token />
        <Group>
          <CopyButton value={made.token}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy} leftSection={copied ? <IconCheck size={18} /> : <IconCopy size={18} />}>
                {t(copied ? "copied" : "copy")}
              </Button>
            )}
          </CopyButton>
        </Group>
        <p>{t("madeHow")}</p>
        <pre>{`curl -H "Authorization: Bearer $TAKT_TOKEN" ${window.location.origin}/api/v1/lines`}</pre>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("madeDone")}</Button>
        </Group>
      </div>
    </Modal>
  );
}
