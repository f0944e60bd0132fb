"use client";
import { Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import type { ReactNode } from "react";

type Question = {
  title: string;
  what: ReactNode;
  yes: string;
  no: string;
  isDangerous?: boolean;
  onYes: () => void;
  /** However it was answered. */
  onClose?: () => void;
};

/** Asks before something that cannot be taken back. What is asked names the thing; the buttons say what they do. */
export const confirm = ({ title, what, yes, no, isDangerous = false, onYes, onClose }: Question): void => {
  modals.openConfirmModal({
    title,
    centered: true,
    children: typeof what === "string" ? <Text>{what}</Text> : what,
    labels: { confirm: yes, cancel: no },
    confirmProps: { color: isDangerous ? "red" : undefined },
    onConfirm: onYes,
    onClose,
  });
};
