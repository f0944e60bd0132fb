/** What is wrong with a page, by the browser and by axe. */
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

/** What the browser complains of: errors, and everything that its content security policy refused. */
export function complaints(page: Page): string[] {
  const said: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy|hydrat/i.test(message.text())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  return said;
}

export const wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** What axe finds against WCAG 2.2 AA (and, with all its rules, against good practice), once everything has come to rest. */
export async function axeFaults(page: Page, tags = wcag): Promise<{ id: string; where: string[] }[]> {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => null))));
  const named = { "label-content-name-mismatch": { enabled: true } };
  const { violations } = await new AxeBuilder({ page }).options({ runOnly: { type: "tag", values: tags }, rules: named }).analyze();
  return violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => `${node.target} ${node.failureSummary}`) }));
}
