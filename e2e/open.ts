import { expect, type Page, type Response } from "@playwright/test";

/** Waits for the page's own program, where signing in or a press has led to another page. */
export const awake = (page: Page): Promise<void> => expect(page.locator("html")).toHaveAttribute("data-awake", "", { timeout: 30_000 });

/** Opens a page and waits until its own program runs: before that nobody listens to what a test presses. Also to load a page again: open(page, page.url()). */
export async function open(page: Page, address: string): Promise<Response | null> {
  const answer = await page.goto(address);
  await awake(page);
  return answer;
}
