// Devices as a technician sets them up: who may do that, and not change the rest of the plant.
import { expect, test } from "@playwright/test";
import { axeFaults, complaints } from "./faults.ts";
import { awake, open } from "./open.ts";
import { signedIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
});
test.afterAll(() => stage?.close());

/** Of works-gw, signed by itself, good for a hundred years. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBfDCCASOgAwIBAgIUVPapQFbvcCLSokHtHECBC6OP1GAwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwId29ya3MtZ3cwIBcNMjYxMTIyMDE0MTIwWhgPMjEyNjEwMjkw
MTQxMjBaMBMxETAPBgNVBAMMCHdvcmtzLWd3MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEZsFh8gRm8MgnZnxOY++0nVBbaH8xc9MCUANAi6Wtsk87Z50sgZlw8/T8
V2sRKOBomMJm4aDwVp+29Jm5ZGh8KaNTMFEwHQYDVR0OBBYEFAYC4aj6Do6MP7cp
DCavz6j0L6+PMB8GA1UdIwQYMBaAFAYC4aj6Do6MP7cpDCavz6j0L6+PMA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgQhU+QbBATBz8UMZvOC5pjw2+
1ZCuSPVThM8BbTOlcm4CIFbTu6WiFBs41o85IqPFNK90mKzyx/HQPoD3yZQr2j26
-----END CERTIFICATE-----`;

test("a technician adds a device, reads its certificate in, sees when it was heard, and takes it away again", async ({ browser }) => {
  test.setTimeout(120_000);
  // A machine of its own, of which no other spec has said anything.
  await stage.rows(`with l as (insert into line (area_id, key, name) select id, 'gateways', 'Gateways' from area where key = 'hall' returning id),
      m as (insert into machine (line_id, key, name) select id, 'mixer', 'Mixer' from l returning id),
      c as (insert into source (site_id, form, address) select id, 'json', 'works/hall/gateways/mixer' from site where key = 'works' returning id)
    insert into signal (machine_id, source_id, key, name, role) select m.id, c.id, 'state', 'State', 'state' from m, c`);
  const context = await signedIn(stage, browser, "technician");
  const page = await context.newPage();
  const said = complaints(page);
  await open(page, `${stage.url}/data-health`);
  await page.getByRole("link", { name: "Devices" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Devices");
  await page.getByRole("link", { name: "Add a device" }).click();
  await expect(page).toHaveURL(/\/plant\/new\/device\?under=works/);
  await awake(page);
  const field = (name: string) => page.getByLabel(name, { exact: false });
  await field("Name").first().fill("Gateway of the press");
  await field("Key").fill("press-gw");
  await field("Identity at the broker").fill("another");
  await page.getByRole("combobox", { name: "May publish to" }).fill(" takt/v1/works/hall/gateways/mixer/#");
  await page.keyboard.press("Enter");
  const file = page.locator("input[type=file]");
  await file.setInputFiles({ name: "key.pem", mimeType: "text/plain", buffer: Buffer.from("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----") });
  await expect(page.getByRole("alert").filter({ hasText: "private key" })).toBeVisible();
  await file.setInputFiles({ name: "gw.crt", mimeType: "text/plain", buffer: Buffer.from(certificate) });
  await expect(page.getByText(/^Read: the certificate of works-gw/)).toBeVisible();
  await expect(page.getByText("The certificate does not match")).toBeVisible();
  await expect(field("Certificate fingerprint")).toHaveValue(/^[0-9a-f]{64}$/);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/plant\/device\/works\/press-gw/);
  const state = page.getByRole("region", { name: "State" });
  await expect(state).toContainText("never");
  await expect(state).toContainText("Does not match");
  await page.getByRole("button", { name: "Take works-gw as the identity" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(state).toContainText("Good");
  expect(await axeFaults(page)).toEqual([]);

  await stage.publish("takt/v1/works/hall/gateways/mixer/state", { ts: Date.now(), value: "EXECUTE" });
  await expect(state).toContainText(/\d+ (s|min) ago/, { timeout: 30_000 });
  await open(page, `${stage.url}/devices`);
  const row = page.getByRole("row", { name: /Gateway of the press/ });
  await expect(row).toContainText(/works-gw.* ago.*Good.*until/s);
  expect(await axeFaults(page)).toEqual([]);
  await page.getByRole("combobox", { name: "Certificate" }).click();
  await page.getByRole("option", { name: "Expired" }).click();
  await expect(page.getByText("No device has such a certificate.")).toBeVisible();

  await open(page, `${stage.url}/plant/device/works/press-gw`);
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page).toHaveURL(/\/plant\/site\/works$/);
  await expect(page.getByRole("link", { name: "Add a device" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Add an area" })).toHaveCount(0);
  expect(said).toEqual([]);
  await stage.rows("update line set retired_at = now() where key = 'gateways'"); // the plant of the specs after this one is as it was
  await context.close();
});
