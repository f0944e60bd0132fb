"use client";
import { ActionIcon, Button, Group, Menu, Modal, Select } from "@mantine/core";
import { IconDots, IconEdit, IconLink, IconPin, IconPinnedOff, IconPlayerSkipForward, IconRefresh, IconSpeakerphone, IconTrash } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useTRPCClient } from "#/components/frame/trpc.ts";
import { confirm } from "#/components/ui/confirm.tsx";
import { Expiry } from "./expiry.tsx";
import type { MadeLink } from "./link-dialog.tsx";
import css from "./screens.module.css";
import type { ScreenRow } from "./screens.tsx";
import { useTell } from "./use-tell.ts";

type Props = { row: ScreenRow; isPinned: boolean; onEdit: () => void; onLink: (made: MadeLink) => void };

/** What can be told a display. */
export function ScreenActions({ row, isPinned, onEdit, onLink }: Props) {
  const t = useTranslations("screens");
  const form = useTranslations("form");
  const { displays } = useTRPCClient();
  const tell = useTell();
  const [asking, setAsking] = useState<"pin" | "link" | null>(null);
  const { id, name } = row;
  const revoke = () =>
    confirm({
      title: t("revokeTitle", { name }),
      what: t("revokeWhat"),
      yes: t("revoke"),
      no: form("cancel"),
      isDangerous: true,
      onYes: () => void tell(() => displays.revoke.mutate({ id }), t("revoked", { name })),
    });
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap" className={css.acts}>
      <Button
        variant="default"
        size="sm"
        leftSection={<IconSpeakerphone size={16} />}
        aria-label={t("identifyNamed", { name })}
        onClick={() => void tell(() => displays.identify.mutate({ id }), t("identified", { name }))}
      >
        {t("identify")}
      </Button>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={t("more", { name })}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconEdit size={16} />} onClick={onEdit}>
            {t("edit")}
          </Menu.Item>
          {row.boards.length > 1 && (
            <>
              <Menu.Item
                leftSection={<IconPlayerSkipForward size={16} />}
                onClick={() => void tell(() => displays.nextBoard.mutate({ id }), t("movedOn", { name }))}
              >
                {t("nextBoard")}
              </Menu.Item>
              <Menu.Item leftSection={<IconPin size={16} />} onClick={() => setAsking("pin")}>
                {t("pin")}
              </Menu.Item>
            </>
          )}
          {isPinned && (
            <Menu.Item leftSection={<IconPinnedOff size={16} />} onClick={() => void tell(() => displays.unpin.mutate({ id }), t("unpinned", { name }))}>
              {t("unpin")}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconRefresh size={16} />} onClick={() => void tell(() => displays.reload.mutate({ id }), t("reloaded", { name }))}>
            {t("reload")}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconLink size={16} />} onClick={() => setAsking("link")}>
            {t("newLink")}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={revoke}>
            {t("revoke")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asking === "pin" && <PinDialog row={row} onClose={() => setAsking(null)} />}
      {asking === "link" && <NewLinkDialog row={row} onClose={() => setAsking(null)} onLink={onLink} />}
    </Group>
  );
}

const lengths = ["10", "60", "480", "open"] as const;

function PinDialog({ row, onClose }: { row: ScreenRow; onClose: () => void }) {
  const t = useTranslations("screens");
  const app = useTranslations("app");
  const { displays } = useTRPCClient();
  const tell = useTell();
  const [lineId, setLineId] = useState(`${row.boards[0]?.lineId}`);
  const [length, setLength] = useState<string>("60");
  const pin = async () => {
    const minutes = length === "open" ? null : Number(length);
    if (await tell(() => displays.pin.mutate({ id: row.id, lineId: Number(lineId), minutes }), t("pinned", { name: row.name }))) onClose();
  };
  return (
    <Modal opened onClose={onClose} title={t("pinTitle", { name: row.name })} centered closeButtonProps={{ "aria-label": app("close") }}>
      <div className={css.fields}>
        <Select
          label={t("board")}
          data={row.boards.map((board) => ({ value: `${board.lineId}`, label: `${board.name} · ${board.areaName}` }))}
          value={lineId}
          onChange={(value) => value && setLineId(value)}
          allowDeselect={false}
          data-autofocus
        />
        <Select
          label={t("pinFor")}
          data={lengths.map((value) => ({ value, label: t(`pinLength.${value}`) }))}
          value={length}
          onChange={(value) => value && setLength(value)}
          allowDeselect={false}
        />
        <Group justify="flex-end">
          <Button onClick={() => void pin()}>{t("pinNow")}</Button>
        </Group>
      </div>
    </Modal>
  );
}

function NewLinkDialog({ row, onClose, onLink }: { row: ScreenRow; onClose: () => void; onLink: Props["onLink"] }) {
  const t = useTranslations("screens");
  const app = useTranslations("app");
  const { displays } = useTRPCClient();
  const tell = useTell();
  const [expiresInDays, setExpiresInDays] = useState<number | null>(null);
  const { id, name, version } = row;
  const make = () =>
    tell(
      async () => {
        const made = await displays.newLink.mutate({ id, version, expiresInDays });
        onClose();
        onLink({ ...made, name });
      },
      t("relinked", { name }),
    );
  return (
    <Modal opened onClose={onClose} title={t("newLinkTitle", { name })} centered closeButtonProps={{ "aria-label": app("close") }}>
      <div className={css.fields}>
        <p className={css.once}>{t("newLinkWhat")}</p>
        <Expiry value={expiresInDays} onChange={setExpiresInDays} />
        <Group justify="flex-end">
          <Button onClick={() => void make()}>{t("newLinkMake")}</Button>
        </Group>
      </div>
    </Modal>
  );
}
