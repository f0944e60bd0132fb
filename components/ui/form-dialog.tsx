"use client";
import { Modal, type ModalProps } from "@mantine/core";
import { useState } from "react";
import { type Unsaved, UnsavedScope } from "./unsaved.ts";
import { useAskToLeave } from "./use-unsaved-warning.ts";

/**
 * A dialog in which something is typed: however it is closed, it asks first when that is not saved. Its forms tell it by useEditForm or useUnsavedWarning.
 * A press beside it closes nothing.
 */
export function FormDialog({ onClose, children, ...props }: ModalProps) {
  const [forms] = useState(() => new Set<Unsaved>());
  const ask = useAskToLeave();
  return (
    <Modal closeOnClickOutside={false} {...props} onClose={() => (forms.size > 0 ? ask(onClose) : onClose())}>
      <UnsavedScope value={forms}>{children}</UnsavedScope>
    </Modal>
  );
}
