/** What a person sees of a start: a line per step with its seconds, and a bar for what goes on behind. */
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

export type Say = (line: string) => void;

/** A step that is done, with its seconds. */
export const stepLine = (title: string, ms: number) => `  ${title.padEnd(34)} ${seconds(ms).padStart(8)}`;

/** A console whose progress bar, if there is one, stays on the last line of a terminal. */
export function openConsole() {
  const terminal = process.stdout.isTTY;
  let bar = "";
  const say: Say = (line) => {
    process.stdout.write(terminal && bar ? `\r\x1b[K${line}\n${bar}` : `${line}\n`);
  };
  /** Says the step when it is done, with its seconds. */
  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    say(stepLine(title, performance.now() - startedAt));
    return result;
  };
  let toldTenth = -1;
  /** Share 0..1 of something that takes long; null takes the bar away. */
  const progress = (title: string, share: number | null) => {
    if (share === null) {
      if (terminal && bar) process.stdout.write("\r\x1b[K");
      bar = "";
    } else if (terminal) {
      const full = Math.round(share * 30);
      bar = `  ${title} ${"█".repeat(full)}${"░".repeat(30 - full)} ${Math.floor(share * 100)} %`;
      process.stdout.write(`\r\x1b[K${bar}`);
    } else if (Math.floor(share * 10) > toldTenth) {
      toldTenth = Math.floor(share * 10);
      say(`  ${title} ${toldTenth * 10} %`);
    }
  };
  return { say, step, progress };
}
export type Console = ReturnType<typeof openConsole>;
