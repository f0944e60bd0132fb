import type { ShownKind } from "#/server/boards/picture-types.ts";

/** A shape for each kind of time, on a 28 x 28 field, so that no one needs to see its colour. */
const shapes: Record<ShownKind, React.ReactNode> = {
  run: <path d="M7 3.5l17 10.5L7 24.5z" />,
  down: <rect x="4.5" y="4.5" width="19" height="19" />,
  micro_stop: <rect x="6" y="6" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="4" />,
  changeover: <path d="M14 2l12 12-12 12L2 14z" />,
  blocked: <path d="M14 3l12.5 22h-25z" />,
  starved: <path d="M14 25L1.5 3h25z" />,
  planned_stop: <path d="M6 4h6v20H6zM16 4h6v20h-6z" />,
  not_scheduled: <circle cx="14" cy="14" r="10" fill="none" stroke="currentColor" strokeWidth="3" strokeDasharray="5 3" />,
  unknown: <path d="M14 3.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21zM7 21L21 7" fill="none" stroke="currentColor" strokeWidth="3" />,
};

/** Decoration: the word stands beside it. */
export const StateMark = ({ kind, className }: { kind: ShownKind; className?: string | undefined }) => (
  <svg viewBox="0 0 28 28" aria-hidden="true" fill="currentColor" className={className} data-state={kind} style={{ color: "var(--state)" }}>
    {shapes[kind]}
  </svg>
);
