// A process's memory, looked at each second.
import { residentMb } from "./cpu.ts";

export class MemoryWatch {
  private readonly points: { atS: number; mb: number }[] = [];
  private readonly startedAt = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(pid: number, everyMs = 1000) {
    const look = () => this.points.push({ atS: (performance.now() - this.startedAt) / 1000, mb: residentMb(pid) });
    look();
    this.timer = setInterval(look, everyMs);
  }

  end(): void {
    clearInterval(this.timer);
  }

  lastMb(): number {
    return Math.round(this.points.at(-1)!.mb);
  }

  mostMb(): number {
    return Math.round(Math.max(...this.points.map(({ mb }) => mb)));
  }

  /** Megabytes a minute, by least squares over the points from `fromS` on. */
  slopeMbPerMin(fromS: number): number {
    const points = this.points.filter(({ atS }) => atS >= fromS);
    const mean = (pick: (p: { atS: number; mb: number }) => number) => points.reduce((sum, p) => sum + pick(p), 0) / points.length;
    const meanAt = mean((p) => p.atS);
    const meanMb = mean((p) => p.mb);
    const spread = points.reduce((sum, p) => sum + (p.atS - meanAt) ** 2, 0);
    return spread === 0 ? 0 : (60 * points.reduce((sum, p) => sum + (p.atS - meanAt) * (p.mb - meanMb), 0)) / spread;
  }

  /** Mean of tenths of the whole time, for people. */
  course(): string {
    const end = this.points.at(-1)!.atS;
    const tenths = Array.from({ length: 10 }, (_, i) => this.points.filter((p) => p.atS >= (end * i) / 10 && p.atS <= (end * (i + 1)) / 10));
    return tenths.map((part) => (part.length === 0 ? "-" : Math.round(part.reduce((sum, p) => sum + p.mb, 0) / part.length))).join(" ");
  }
}
