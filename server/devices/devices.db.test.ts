import { afterAll, beforeAll, expect, it } from "vitest";
import { closePool } from "#/server/db.ts";
import { grant, personWith, requestOf } from "#/server/identity/testing.ts";
import { applyText, refusal } from "#/server/plant/edit-testing.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { createCaller } from "#/server/trpc.ts";
import { deviceRouter } from "./router.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
  await applyText(
    db,
    `enterprise: { key: acme }
sites:
  - key: berlin
    zone: Europe/Berlin
    sources: [{ form: mapped, address: gateway }]
    devices:
      - { key: press, identity: berlin-press, expires: 2020-01-01, certificate_name: berlin-press, topics: takt/v1/berlin/# }
      - { key: gw, identity: berlin-gw, expires: 2099-01-01, certificate_name: berlin-gateway, topics: [hall/#] }
      - { key: new, identity: berlin-new, topics: [nowhere/#] }
    areas: [{ key: hall, lines: [{ key: l1, machines: [{ key: press, signals: [{ key: state, role: state }, { key: t, role: measurement, source: gateway, mapping: { topic: hall/t } }] }] }] }]
  - { key: chicago, zone: America/Chicago, devices: [{ key: x, identity: chicago-x }] }`,
  );
  await db.rows(
    "insert into source_status (source_id, last_at, last_received_at) select id, now(), '2026-05-20 10:00Z'::timestamptz + id * interval '1 min' from source",
  );
});
afterAll(async () => {
  await closePool();
  await db.drop();
});

it("lists the devices of one's sites, with their certificates' state and when they were last heard; a technician sets them up", async () => {
  const [berlin] = await db.rows<{ id: number }>("select id from site where key = 'berlin'");
  const technician = createCaller(deviceRouter)(requestOf(db, personWith(grant("technician", berlin?.id ?? 0))));
  const ids = new Map((await db.rows<{ id: number; address: string }>("select id, address from source")).map(({ id, address }) => [address, id]));
  const heard = (address: string) => Date.parse("2026-05-20T10:00:00Z") + (ids.get(address) ?? 0) * 60_000;
  expect((await technician.list()).devices.map(({ address, certificate, lastSeenAt, mayChange }) => ({ address, certificate, lastSeenAt, mayChange }))).toEqual(
    [
      { address: "berlin/press", certificate: "expired", lastSeenAt: heard("berlin/hall/l1/press"), mayChange: true },
      { address: "berlin/gw", certificate: "mismatch", lastSeenAt: heard("gateway"), mayChange: true },
      { address: "berlin/new", certificate: "none", lastSeenAt: null, mayChange: true },
    ],
  );
  const made = await technician.put({
    address: null,
    parent: "berlin",
    fields: { key: "edge", identity: "edge-1", certificate_name: "edge-1", expires: "2099-01-01", topics: ["spBv1.0/G/+/N/#"] },
    version: null,
  });
  expect(made).toMatchObject({ address: "berlin/edge", fields: { name: "edge", topics: ["spBv1.0/G/+/N/#"] } });
  const stateOfEdge = async () => (await technician.list()).devices.find(({ key }) => key === "edge")?.certificate;
  expect(await stateOfEdge()).toBe("valid");
  expect(
    (await refusal(technician.put({ address: "berlin/edge", parent: null, fields: { identity: "berlin-gw", fingerprint: "x" }, version: made.version })))
      .fields,
  ).toMatchObject({
    fingerprint: expect.stringMatching(/^Must be the SHA-256 fingerprint/),
  });
  expect((await technician.removal({ address: "berlin/edge" })).lines).toEqual(["- device berlin/edge: deleted, it has no history"]);
  expect((await technician.remove({ address: "berlin/edge", version: made.version })).outcome).toBe("deleted");
  expect((await refusal(technician.put({ address: "chicago/x", parent: null, fields: {}, version: null }))).code).toBe("NOT_FOUND");
  expect(
    (await refusal(createCaller(deviceRouter)(requestOf(db, personWith(grant("viewer")))).put({ address: null, parent: "berlin", fields: {}, version: null })))
      .code,
  ).toBe("FORBIDDEN");
});
