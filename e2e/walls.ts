/** Displays as they are made on the Screens page, and the screens on walls that show them. */
import { type Browser, type BrowserContext, expect, type Page } from "@playwright/test";
import { open } from "./open.ts";
import { signedIn } from "./people.ts";
import { Stage } from "./stage.ts";

export const front = (page: Page) => page.locator("[data-front]");
export const machine = (page: Page, name: string) => front(page).getByRole("article", { name, exact: true });
export const shown = (page: Page, board: string) => expect(front(page)).toHaveAttribute("data-line", `works/hall/${board}`, { timeout: 15_000 });

/** A screen on a wall: a browser of its own, with nobody signed in. */
export async function wall(browser: Browser, link: string): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  await open(page, link);
  return { page, context };
}

/** Who looks after the screens, with the Screens page open. */
export class Staff {
  readonly stage: Stage;
  readonly page: Page;

  private constructor(stage: Stage, page: Page) {
    this.stage = stage;
    this.page = page;
  }

  static async open(browser: Browser): Promise<Staff> {
    const stage = await Stage.open();
    return new Staff(stage, await (await signedIn(stage, browser, "supervisor")).newPage());
  }

  async close(): Promise<void> {
    await this.page.context().close();
    await this.stage.close();
  }

  row(name: string) {
    return this.page.getByRole("row").filter({ hasText: name });
  }

  /** Makes a display. The link as it is shown this once. */
  async make(name: string, boards: [line: string, seconds: number][], how: { raises?: number } = {}): Promise<string> {
    const { page } = this;
    await open(page, `${this.stage.url}/screens`);
    await page.getByRole("button", { name: "New display" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Name" }).fill(name);
    for (const [line, seconds] of boards) {
      await dialog.getByRole("combobox", { name: "Add a board" }).click();
      await page.getByRole("listbox").getByRole("option", { name: line }).click();
      await dialog.getByLabel(`Seconds for ${line}`).fill(`${seconds}`);
    }
    if (how.raises === undefined) await dialog.getByRole("switch").uncheck();
    else await dialog.getByLabel("After").fill(`${how.raises}`);
    await dialog.getByRole("button", { name: "Make the display" }).click();
    const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
    await expect(page.getByRole("img", { name: "QR code" }).locator("path")).toBeVisible();
    await page.getByRole("button", { name: "I have kept it" }).click();
    return link;
  }

  async tell(name: string, what: string): Promise<void> {
    await this.page.getByRole("button", { name: `More for ${name}` }).click();
    await this.page.getByRole("menuitem", { name: what }).click();
  }
}
