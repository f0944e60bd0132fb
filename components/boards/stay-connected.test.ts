import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Line, stayConnected } from "./stay-connected.ts";

const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
const frame = new EventTarget();
let open: Line[] = [];
let opened = 0;
let broken = 0;

/** As the client's streams do, it tells of its end also where the end was asked for. */
function connect(line: Line) {
  open.push(line);
  opened += 1;
  return {
    unsubscribe: () => {
      if (!open.includes(line)) return;
      open = open.filter((other) => other !== line);
      line.broke();
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", frame);
  [open, opened, broken] = [[], 0, 0];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const keep = () =>
  stayConnected(connect, () => {
    broken += 1;
  });

test("a break is followed by one new connection", () => {
  const end = keep();
  for (let round = 1; round <= 20; round += 1) {
    open[0]?.broke();
    expect(open).toHaveLength(0);
    vi.advanceTimersByTime(30_000);
    expect(open).toHaveLength(1);
    expect([opened, broken]).toEqual([round + 1, round]);
  }
  end();
  expect(open).toHaveLength(0);
});

test("what an ended connection says late breaks nothing, and does not count as heard", () => {
  const end = keep();
  const first = open[0];
  first?.broke();
  vi.advanceTimersByTime(1_000);
  first?.broke();
  expect(open).toHaveLength(1);
  vi.advanceTimersByTime(20_000);
  first?.heard();
  vi.advanceTimersByTime(13_000); // 33 s without a word of the second
  expect(broken).toBe(2);
  end();
});

test("one that breaks while it is opened is not kept", () => {
  let times = 0;
  const end = stayConnected((line) => {
    const handle = connect(line);
    times += 1;
    if (times < 3) line.broke();
    return handle;
  });
  vi.advanceTimersByTime(60_000);
  expect(open).toHaveLength(1);
  end();
  expect(open).toHaveLength(0);
});

test("silence, a network that comes back and a page that is looked at again make it anew, and never a second one beside it", () => {
  const end = keep();
  for (let at = 0; at < 600; at += 1) {
    vi.advanceTimersByTime(1_000);
    if (at % 41 === 0) frame.dispatchEvent(new Event("online"));
    if (at % 57 === 0) page.dispatchEvent(new Event("visibilitychange"));
    if (at % 100 < 30) open[0]?.heard();
    expect(open.length).toBeLessThanOrEqual(1);
  }
  expect(broken).toBeGreaterThan(5);
  end();
  vi.advanceTimersByTime(60_000);
  expect(open).toHaveLength(0);
});
