/** A Chromium for the browser tests: the machine's own; on Debian as root it is installed if there is none. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { isRoot } from "../embedded/processes.ts";
import { env } from "../env.ts";
import { Trouble } from "../trouble.ts";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Full path of the browser. */
export function findChromium(say: (line: string) => void): string {
  const found = env.chromium ?? onPath();
  if (found) {
    if (!existsSync(found)) throw new Trouble(`CHROMIUM names ${found}, which is not there.`);
    return found;
  }
  if (isRoot && existsSync("/usr/bin/apt-get")) {
    say("No Chromium is found; installing Debian's (apt-get install chromium).");
    const apt = (args: string[]) => spawnSync("apt-get", ["-q", "-y", ...args], { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
    if (apt(["update"]) && apt(["install", "--no-install-recommends", "chromium"])) {
      const installed = onPath();
      if (installed) return installed;
    }
    throw new Trouble("Chromium could not be installed, see above. Install it by hand, or set CHROMIUM to a browser's path.");
  }
  const how = existsSync("/usr/bin/apt-get") ? "Run: sudo apt-get install chromium" : "Install Chromium or Chrome, or set CHROMIUM to its path.";
  throw new Trouble(`The browser tests need Chromium, and none is found. ${how}`);
}

function onPath(): string | undefined {
  const candidates = env.path.split(delimiter).flatMap((dir) => names.map((name) => join(dir, name)));
  if (process.platform === "darwin")
    candidates.push("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium");
  return candidates.find((path) => existsSync(path));
}
