/** What a display shows at an instant: by its settings, what is known of its boards, and the clock. */

import type { DisplayEvent, OwnDisplay } from "#/server/displays/watch.ts";
import { type Rotation, type Shown, shownAt } from "#/server/domain/rotation.ts";

/** The next board is opened so long before it is shown, so that it comes with its numbers. */
const aheadMs = 6_000;
export const identifyForMs = 20_000;

/** What the display shows at this moment. coming: the board that is made ready behind it. */
export type OnScreen = { shown: Shown | null; coming: number | null; isIdentifying: boolean };

const rotationOf = (display: OwnDisplay, concerns: DisplayEvent["concerns"]): Rotation => ({
  boards: display.boards,
  fromAt: display.rotationFromAt,
  pin: display.pinnedLineId === null ? null : { lineId: display.pinnedLineId, untilAt: display.pinnedUntilAt },
  raise: display.raiseAfterS === null ? null : { afterS: display.raiseAfterS, forS: display.raiseForS },
  concerns,
  seenAt: display.concernsSeenAt,
});

export function onScreenAt({ display, concerns }: DisplayEvent, at: number): OnScreen {
  if (!display) return { shown: null, coming: null, isIdentifying: false };
  const shown = shownAt(rotationOf(display, concerns), at);
  const isSoon = shown !== null && shown.untilAt !== null && shown.untilAt - at < aheadMs && shown.nextLineId !== shown.lineId;
  const isIdentifying = display.identifyAt !== null && at >= display.identifyAt - 1_000 && at < display.identifyAt + identifyForMs;
  return { shown, coming: isSoon ? shown.nextLineId : null, isIdentifying };
}
