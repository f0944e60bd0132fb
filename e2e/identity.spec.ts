import { createHmac } from "node:crypto";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { awake, open } from "./open.ts";
import { fillIn, invitation, nameOf, password, signedIn, signIn, somebody } from "./people.ts";
import { MailSink, WorksLogin } from "./provider.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
let works: WorksLogin;
const mail = new MailSink();
test.beforeAll(async () => {
  const smtp = await mail.open();
  stage = await Stage.open({
    worker: false,
    env: async (url) => {
      works = await WorksLogin.open(url);
      const provider = { OIDC_ISSUER: works.issuer, OIDC_CLIENT_ID: "takt", OIDC_CLIENT_SECRET: "between Takt and the provider", OIDC_NAME: "Works login" };
      return { PUBLIC_URL: url, SMTP_URL: smtp, ...provider };
    },
  });
});
test.afterAll(async () => {
  await stage.close();
  works.close();
  await mail.close();
});

test("sign in, arrive where one wanted to go, and sign out again", async ({ page }) => {
  await page.goto(`${stage.url}/data-health?source=x`);
  await expect(page).toHaveURL(/\/sign-in\?next=%2Fdata-health%3Fsource%3Dx/);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Enter your password.")).toBeVisible();
  await fillIn(page, "technician", "not the password");
  await expect(page.getByText("This name or password is not right.")).toBeVisible();
  await expect(page.getByLabel("E-mail address or user name")).toHaveValue("technician");
  await fillIn(page, "technician", password);
  await expect(page).toHaveURL(/\/data-health\?source=x/);
  await awake(page);
  await page.getByRole("button", { name: new RegExp(`^${nameOf("technician")}`) }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  await page.goto(`${stage.url}/data-health`);
  await expect(page).toHaveURL(/\/sign-in/);
});

test("goes on to no other site after signing in", async ({ page }) => {
  for (const next of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
    await page.context().clearCookies();
    await page.goto(`${stage.url}/sign-in?next=${encodeURIComponent(next)}`);
    await fillIn(page, "viewer", password);
    await expect(page).not.toHaveURL(/sign-in/);
    expect(new URL(page.url()).origin).toBe(stage.url);
  }
});

test("an address on another site signs nobody out", async ({ page }) => {
  await signIn(page, stage, "viewer");
  await page.goto(`${stage.url}/sign-out`); // typed, or a link from elsewhere: not from a page of Takt's
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
  await page.goto(`${stage.url}/account`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("My account");
});

test("an invitation: choose a password, come in; the link opens once", async ({ page, browser }) => {
  const address = await invitation(stage, await somebody(stage, "ina"));
  await page.goto(address);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome, ina Example");
  await page.getByLabel("Password", { exact: true }).fill("password1234");
  await page.getByRole("button", { name: "Set the password" }).click();
  await expect(page.getByText("one of the passwords that are tried first")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill("kupfer laterne umlauf");
  await page.getByRole("button", { name: "Set the password" }).click();
  await expect(page).toHaveURL(`${stage.url}/`);
  const other = await (await browser.newContext()).newPage();
  await other.goto(address);
  await expect(other.getByText("It has been used")).toBeVisible();
  await other.context().close();
});

test("a forgotten password: the mail's link sets another, and signs out everywhere else", async ({ page, browser }) => {
  const id = await somebody(stage, "rita");
  const first = await (await browser.newContext()).newPage();
  await first.goto(await invitation(stage, id));
  await first.getByLabel("Password", { exact: true }).fill("kupfer laterne umlauf");
  await first.getByRole("button", { name: "Set the password" }).click();
  await expect(first).toHaveURL(`${stage.url}/`);
  await page.goto(`${stage.url}/sign-in`);
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await expect(page).toHaveURL(/forgot-password/);
  await awake(page);
  await page.getByLabel("E-mail address or user name").fill("rita");
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page.getByText("a link is on its way")).toBeVisible();
  await expect.poll(() => mail.mails.find(({ to }) => to === "rita@example.com")?.text ?? "").toContain("/link#");
  const link = /http\S+\/link#[\w-]{43}/.exec(mail.mails.find(({ to }) => to === "rita@example.com")?.text ?? "")?.[0] ?? "";
  await page.goto(link);
  await page.getByLabel("Password", { exact: true }).fill("messing kompass wolke");
  await page.getByRole("button", { name: "Set the password" }).click();
  await expect(page).toHaveURL(`${stage.url}/`);
  await first.goto(`${stage.url}/account`);
  await expect(first).toHaveURL(/sign-in/);
  await first.context().close();
});

test("signing in with the plant's own provider, for who is known here and for nobody else", async ({ page }) => {
  await somebody(stage, "olga");
  const withProvider = async (name: string) => {
    await page.goto(`${stage.url}/sign-in?next=%2Faccount`);
    await page.getByRole("button", { name: "Continue with Works login" }).click();
    await page.waitForURL(new RegExp(`^${works.issuer}`));
    await page.locator("input[name=login]").fill(name);
    await page.locator("input[name=password]").fill("any");
    await page.locator("button[type=submit]").click();
    await page.locator("button[type=submit]").click(); // that Takt may know who one is
  };
  await withProvider("olga");
  await expect(page).toHaveURL(`${stage.url}/account`);
  await expect(page.getByRole("heading", { name: "olga Example" })).toBeVisible();
  await expect(page.getByText("You sign in with Works login")).toBeVisible();
  await page.context().clearCookies();
  await withProvider("stranger");
  await expect(page.getByText("This account is not known here.")).toBeVisible();
});

function codeOf(secret: string): string {
  const bits = [...secret].map((sign) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(sign).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  return String((digest.readUInt32BE((digest.at(-1) ?? 0) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("a site asks its administrators for a second factor: it is set up, and asked for from then on", async ({ page, browser }) => {
  const id = await somebody(stage, "adam", "administrator");
  await page.goto(await invitation(stage, id));
  await page.getByLabel("Password", { exact: true }).fill("kupfer laterne umlauf");
  await page.getByRole("button", { name: "Set the password" }).click();
  await expect(page).not.toHaveURL(/link/);
  await stage.rows("update site set requires_second_factor = true where key = 'works'");
  try {
    await page.goto(`${stage.url}/account/second-factor`);
    await expect(page.getByText("Until you have one, your administrator's rights rest.")).toBeVisible();
    await page.getByLabel("Password", { exact: true }).fill("kupfer laterne umlauf");
    await page.getByRole("button", { name: "Continue" }).click();
    await expect(page.getByRole("img", { name: "QR code for the authenticator" })).toBeVisible();
    const secret = ((await page.getByText(/^([A-Z2-7]{4} ){5,}/).textContent()) ?? "").replaceAll(" ", "");
    await page.getByLabel("Code", { exact: true }).fill(codeOf(secret));
    await expect(page.getByRole("heading", { name: "3. Your recovery codes" })).toBeVisible();
    const [recovery = ""] = await page.getByRole("list", { name: "Recovery codes for Takt" }).getByRole("listitem").allInnerTexts();
    await page.getByRole("button", { name: "I have kept them" }).click();
    await expect(page).toHaveURL(`${stage.url}/plant`);

    const other = await (await browser.newContext()).newPage();
    await other.goto(`${stage.url}/sign-in?next=%2Faccount`);
    await fillIn(other, "adam", "kupfer laterne umlauf");
    await other.getByLabel("Code", { exact: true }).fill("000000");
    await expect(other.getByText("This code is not right.")).toBeVisible();
    await other.getByRole("button", { name: "Use a recovery code" }).click();
    await other.getByLabel("Recovery code").fill(recovery);
    await other.getByRole("button", { name: "Continue" }).click();
    await expect(other.getByText("9 recovery codes are left")).toBeVisible();
    await other.context().close();
  } finally {
    await stage.rows("update site set requires_second_factor = false");
  }
});

test("a session that ends in the midst of a form: it is said, and nothing typed is lost", async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await open(page, `${stage.url}/sign-in?next=%2Faccount`);
  await fillIn(page, "quality", password);
  await expect(page).toHaveURL(/account$/);
  await awake(page);
  await page.getByLabel("Present password").fill(password);
  await page.getByLabel("New password").fill("messing kompass wolke");
  await stage.rows("delete from session using person p where p.id = person_id and p.username = 'quality'");
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("You are not signed in.")).toBeVisible();
  await expect(page.getByLabel("New password")).toHaveValue("messing kompass wolke");
  await context.close();
});

test("who stands in a row behind a flood is told so, and signed in when it is their turn", async ({ browser }) => {
  const stranger = await browser.newContext();
  const statuses: number[] = [];
  for (let n = 0; n < 5; n++) {
    const data = { login: "storekeeper", password: `wrong ${n}` };
    statuses.push((await stranger.request.post(`${stage.url}/api/auth/sign-in/username`, { data, headers: { origin: stage.url } })).status());
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401]);
  await stranger.close();
  await stage.rows("update sign_in_try set blocked_until = now() + interval '10 seconds' where blocked_until is not null"); // as a longer flood does
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${stage.url}/sign-in?next=%2Faccount`);
  await awake(page);
  await fillIn(page, "storekeeper", password);
  await expect(page.getByText("You stand in the row")).toBeVisible();
  await page.reload(); // the place stays
  await awake(page);
  await fillIn(page, "storekeeper", password);
  await expect(page).toHaveURL(/\/account/, { timeout: 20_000 });
  await context.close();
});

test("what a client says of its address does not count", async () => {
  await fetch(`${stage.url}/api/auth/sign-in/username`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": "6.6.6.6", "x-takt-peer": "7.7.7.7" },
    body: JSON.stringify({ login: "nobody-at-all", password: "x" }),
  });
  const rows = await stage.rows<{ address: string }>("select address from audit_entry where action = 'session.refused' order by at desc limit 1");
  expect(rows).toEqual([{ address: "127.0.0.1" }]);
});

for (const scheme of ["light", "dark"] as const) {
  test(`the pages of signing in, in ${scheme}: no complaint of the browser, no fault that axe finds`, async ({ browser }) => {
    const said: string[] = [];
    const look = async (page: Page, path: string) => {
      await page.goto(stage.url + path);
      await expect(page.locator("h1").first()).toBeVisible();
      await page.waitForLoadState("networkidle");
      const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
      expect(violations.map(({ id, nodes }) => ({ path, id, where: nodes.map((node) => `${node.target} ${node.failureSummary}`) }))).toEqual([]);
      if (scheme === "dark" && page.viewportSize()?.width === 390) expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    };
    const open = async (login: "supervisor" | null, width: number) => {
      const options = { colorScheme: scheme, viewport: { width, height: 844 } };
      const context = login ? await signedIn(stage, browser, login, options) : await browser.newContext(options);
      const page = await context.newPage();
      page.on("console", (message) => {
        if (message.type() === "error" && !/status of (401|403|410)/.test(message.text())) said.push(message.text());
      });
      page.on("pageerror", (error) => said.push(error.message));
      return page;
    };
    const outside = await open(null, 390);
    for (const path of ["/sign-in", "/sign-in?out&error=stranger", "/forgot-password", "/link#x", "/terminal"]) await look(outside, path);
    const inside = await open("supervisor", scheme === "light" ? 1440 : 390);
    for (const path of ["/account", "/account/second-factor", "/terminals", "/sign-out"]) await look(inside, path);
    expect(said).toEqual([]);
    await outside.context().close();
    await inside.context().close();
  });
}
