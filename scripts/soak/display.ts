/** A wall display with all boards of a test: made by somebody of the plant on the screens page, opened by its link. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareEnv, projectRoot } from "#/scripts/env.ts";

/** folder: for what is gone at the end. */
type Where = { url: string; databaseUrl: string; authSecret: string; folder: string; siteId: number; lineIds: readonly number[] };

/** The cookie by which its screens are known. @throws Error: an answer was no good one */
export async function openDisplay({ url, databaseUrl, authSecret, folder, siteId, lineIds }: Where): Promise<string> {
  const password = randomBytes(18).toString("base64url");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const somebody = ["--name", "Sofia Keller", "--login", "supervisor", "--role", "supervisor@*", "--password-file", passwordFile];
  execFileSync(process.execPath, ["server/people/cli.ts", "add", ...somebody], {
    cwd: projectRoot,
    env: bareEnv({ DATABASE_URL: databaseUrl, AUTH_SECRET: authSecret }),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const post = (path: string, body: unknown, cookie = "") =>
    good(fetch(url + path, { method: "POST", headers: { "content-type": "application/json", origin: url, cookie }, body: JSON.stringify(body) }));
  const signedIn = cookiesOf(await post("/api/auth/sign-in/username", { login: "supervisor", password }));
  const boards = lineIds.map((lineId) => ({ lineId, shownS: 30 }));
  const settings = { siteId, name: "Hall", theme: "dark", locale: null, raiseAfterS: null, raiseForS: null, boards, expiresInDays: null };
  const made = (await (await post("/api/trpc/displays.create", { json: settings }, signedIn)).json()) as { result: { data: { json: { token: string } } } };
  return cookiesOf(await good(fetch(`${url}/display/${made.result.data.json.token}`, { redirect: "manual" })));
}

async function good(asked: Promise<Response>): Promise<Response> {
  const answer = await asked;
  if (answer.status >= 400)
    throw new Error(`${new URL(answer.url).pathname.split("/").slice(0, 3).join("/")} answers ${answer.status}: ${await answer.text()}`);
  return answer;
}

const cookiesOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map((set) => set.split(";")[0])
    .join("; ");
