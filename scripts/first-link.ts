/** What npm start prints where nobody can administer Takt yet. */
import { setTimeout as wait } from "node:timers/promises";
import { isDatabaseAway } from "#/server/errors.ts";
import { commandLine, firstAdministratorLink } from "#/server/identity/provision.ts";

const againAfterMs = 5_000;

/** Not waited for: the web app starts whether the database is there or not, and the link is printed once it is. */
export function printFirstLink(): void {
  print().catch((error: unknown) => {
    console.error(`takt: whether there is an administrator could not be found out (${error instanceof Error ? error.message : error}).`);
    console.error("takt: a link for the first one is printed by: npm run people -- invite-administrator");
  });
}

async function print(): Promise<void> {
  for (;;) {
    try {
      const link = await firstAdministratorLink(commandLine("npm start"));
      if (link)
        console.log(
          `\nNobody can administer Takt yet. Whoever opens this link becomes its administrator:\n  ${link.url}\n  It opens once, until ${link.expiresAt.toISOString()}.\n`,
        );
      return;
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      await wait(againAfterMs, undefined, { ref: false });
    }
  }
}
