import type { ReactNode } from "react";
import css from "./door.module.css";
import { DoorChoices } from "./door-choices.tsx";

/** Heights in percent, as a line's hours might have them. */
const beats = [38, 52, 47, 66, 58, 71, 63, 30, 55, 74, 69, 82, 60, 44, 57, 78, 72, 88, 66, 49, 61, 70, 54, 40, 59, 76, 68, 84, 73, 51, 64, 80];

/** The frame of the pages before one is inside: signing in and out, links, a shared terminal. */
export function Door({ locales, children }: { locales: readonly string[]; children: ReactNode }) {
  return (
    <div className={css.door}>
      <header className={css.top}>
        {/* No link of the app's own: who is inside meanwhile comes to the start with everything loaded anew. */}
        <a href="/" className={css.brand}>
          <svg viewBox="0 0 26 26" aria-hidden="true">
            <rect x="1" y="14" width="6" height="11" fill="var(--state-run)" />
            <rect x="10" y="8" width="6" height="17" fill="var(--state-run)" />
            <rect x="19" y="1" width="6" height="24" fill="var(--state-down)" />
          </svg>
          Takt
        </a>
        <DoorChoices locales={locales} />
      </header>
      <main id="content" className={css.main} tabIndex={-1}>
        {children}
      </main>
      <svg className={css.beat} viewBox={`0 0 ${beats.length * 10} 100`} preserveAspectRatio="none" aria-hidden="true">
        {beats.map((height, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a fixed picture
          <rect key={n} x={n * 10 + 1.5} y={100 - height} width={7} height={height} fill="currentColor" />
        ))}
      </svg>
    </div>
  );
}
