// Half a database: its process is stopped and goes on by turns.
const turnMs = 20;

export class Throttle {
  private pid: number | null = null;
  private stopped = false;
  private timer: NodeJS.Timeout | null = null;
  private readonly letGo = () => this.signal("SIGCONT");

  /** findPid: of the process to be throttled; asked again when it has ended. */
  start(findPid: () => Promise<number | null>): void {
    process.once("exit", this.letGo);
    let looking = false;
    this.timer = setInterval(() => {
      if (this.pid === null) {
        if (looking) return;
        looking = true;
        findPid()
          .then((pid) => {
            this.pid = pid;
          })
          .finally(() => {
            looking = false;
          });
        return;
      }
      this.stopped = !this.stopped;
      if (!this.signal(this.stopped ? "SIGSTOP" : "SIGCONT")) this.pid = null;
    }, turnMs);
  }

  end(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.letGo();
    process.removeListener("exit", this.letGo);
  }

  // False: the process is gone.
  private signal(name: "SIGSTOP" | "SIGCONT"): boolean {
    if (this.pid === null) return false;
    try {
      process.kill(this.pid, name);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  }
}
