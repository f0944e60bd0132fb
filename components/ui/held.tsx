"use client";
import { Fragment, type ReactNode, useState } from "react";
import { type Unsaved, UnsavedScope } from "./unsaved.ts";

type Props<Value> = { of: Value; version: string | number; children: (held: Value) => ReactNode };

/**
 * A form of what is stored now; while something unsaved is in it, of what it was filled from. So what others save meanwhile, which comes whenever the window is
 * looked at again, takes nothing away that was typed: saving says who changed what.
 */
export function Held<Value>({ of, version, children }: Props<Value>) {
  const [forms] = useState(() => new Set<Unsaved>());
  const [held, setHeld] = useState({ of, version });
  const isCurrent = held.version === version || forms.size === 0;
  if (isCurrent && held.of !== of) setHeld({ of, version });
  const shown = isCurrent ? { of, version } : held;
  return (
    <UnsavedScope value={forms}>
      <Fragment key={shown.version}>{children(shown.of)}</Fragment>
    </UnsavedScope>
  );
}
