/** An example of every procedure: what is asked for at a place. A procedure without one is an error of types, and of the walk. */
import type { AnyProcedure, inferProcedureInput } from "@trpc/server";
import type { Action } from "#/server/domain/permission.ts";
import type { AppRouter } from "#/server/router.ts";
import { terminalVersion } from "#/server/terminals/service.ts";
import type { Place, Who, World } from "./world.ts";

type Routes = AppRouter["_def"]["record"];
type PathsOf<Of> = { [Key in keyof Of & string]: Of[Key] extends AnyProcedure ? Key : `${Key}.${PathsOf<Of[Key]>}` }[keyof Of & string];
export type ProcedurePath = PathsOf<Routes>;
type ProcedureAt<Of, Path> = Path extends `${infer Head}.${infer Rest}`
  ? Head extends keyof Of
    ? ProcedureAt<Of[Head], Rest>
    : never
  : Path extends keyof Of
    ? Of[Path] extends AnyProcedure
      ? Of[Path]
      : never
    : never;

/**
 * about, and so what the walk expects of an answer:
 * list: whoever may it anywhere gets rows, those of the places where they may and no others. shows: not every place has a row in it.
 * object: of the site of the place (line: of its line, too); there, and nowhere else. sites: of all sites at once.
 * own: the actor's own; of somebody else there is nothing. display: a display's own.
 */
export type About = "list" | "object" | "line" | "sites" | "own" | "display";
export type Example<Input = unknown> = {
  about: About;
  ask: (place: Place, world: World, who: Who) => Input | Promise<Input>;
  /** Needed there besides the procedure's own action. */
  needs?: readonly Action[];
  /** list: whether the answer names what is at the place. */
  shows?: boolean;
  /** What a permitted call is answered with where it is not done: a rule, a value that is none. */
  refused?: readonly string[];
  /** Asked by people alone, whatever a token may. */
  byPeople?: true;
  /** It puts together what is of two sites: whoever may it gets no for an answer, and nothing changes. */
  never?: true;
};
/** One example, or several by what they are of. */
export type Examples<Input = unknown> = Example<Input> | Readonly<Record<`of ${string}` | `to ${string}`, Example<Input>>>;
type AllExamples = { [Path in ProcedurePath]: Examples<inferProcedureInput<ProcedureAt<Routes, Path>>> };

const nothing = () => undefined;
const address = ({ site, area, line }: Place) => ({ site, area, line });
const settings = (place: Place, world: World) => ({
  name: world.make.named(place.mark, "display"),
  theme: "dark" as const,
  locale: null,
  raiseAfterS: null,
  raiseForS: null,
  boards: [{ lineId: place.lineId, shownS: 30 }],
});
const someone = (place: Place, world: World) => ({
  name: "Nina",
  email: `${world.make.named(place.mark, "new")}@example.com`,
  username: null,
  memberships: [{ role: "viewer" as const, siteId: place.siteId, lineIds: [] }],
});
const aDisplay = async (place: Place, world: World) => ({ id: (await world.make.display(place)).id });
const aColleague = async (place: Place, world: World) => ({ id: await world.make.colleague(place) });

export const examples: AllExamples = {
  "account.own": { about: "own", ask: nothing },
  "account.sessions": { about: "own", ask: nothing },
  "account.endSession": {
    about: "own",
    // Of the own site: the asker's own; of the other one: somebody else's.
    ask: async (place, { own, make }, { actor }) => ({ id: await make.session(place === own && actor.kind === "person" ? actor.id : place.personId) }),
  },
  "account.endOtherSessions": { about: "own", ask: nothing },
  "account.changePassword": {
    about: "own",
    ask: () => ({ present: "not mine", password: "quite a long password" }),
    refused: ["BAD_REQUEST", "UNPROCESSABLE_CONTENT"],
  },
  "account.choosePin": { about: "own", ask: () => ({ present: "not mine", pin: "482913" }), refused: ["BAD_REQUEST", "UNPROCESSABLE_CONTENT"] },
  "account.removePin": { about: "own", ask: nothing },
  "account.chooseLocale": { about: "own", ask: () => ({ locale: "de" }) },
  "account.putAwayNotice": { about: "own", ask: () => ({ id: 1 }) },
  "account.present": { about: "own", ask: nothing },

  "audit.sites": { about: "list", ask: nothing, shows: true },
  "audit.entries": {
    "of everything": {
      about: "list",
      ask: async (place, { make }) => {
        await make.line(place);
        return {};
      },
      shows: true,
    },
    "of one site": { about: "object", ask: ({ site }) => ({ site }) },
  },
  "audit.history": { about: "list", ask: ({ machineId }) => ({ kind: "machine", id: String(machineId) }) },

  "boards.lines": { about: "list", ask: nothing, shows: true },
  "boards.plant": { about: "list", ask: nothing, shows: true },
  "boards.line": { about: "line", ask: address },
  "boards.watch": { about: "line", ask: address },

  "dataHealth.workers": { about: "list", ask: nothing },
  "dataHealth.sources": { about: "list", ask: nothing, shows: true },
  "dataHealth.source": { about: "object", ask: ({ sourceId }) => ({ id: sourceId }) },
  "dataHealth.unknown": { about: "list", ask: async (place, { make }) => void (await make.letter(place)), shows: true },
  "dataHealth.letterGroups": {
    about: "list",
    ask: async (place, { make }) => {
      await make.letter(place);
      return { status: "open" as const };
    },
    shows: true,
  },
  "dataHealth.findLetterGroups": {
    about: "list",
    ask: async (place, { make }) => ({ status: "open", words: [(await make.letter(place)).topic], codes: [] }),
    shows: true,
  },
  "dataHealth.letters": {
    about: "list",
    ask: async (place, { make }) => {
      const { topic, reasonCode } = await make.letter(place);
      return { topic, reasonCode, metric: null, status: "open" as const };
    },
  },
  "dataHealth.payload": { about: "object", ask: async (place, { make }) => ({ id: (await make.letter(place)).id }) },
  "dataHealth.retryLetter": { about: "object", ask: (place, { make }) => make.letter(place) },
  "dataHealth.discardLetter": { about: "object", ask: (place, { make }) => make.letter(place) },
  "dataHealth.retryGroup": { about: "object", ask: async (place, { make }) => groupOf(await make.letter(place)) },
  "dataHealth.discardGroup": { about: "object", ask: async (place, { make }) => groupOf(await make.letter(place)) },
  "dataHealth.retryFound": {
    about: "object",
    ask: async (place, { make }) => foundOf(await make.letter(place)),
  },
  "dataHealth.discardFound": {
    about: "object",
    ask: async (place, { make }) => foundOf(await make.letter(place)),
  },
  "dataHealth.changes": { about: "list", ask: nothing },
  "dataHealth.mappingPreview": {
    about: "list",
    ask: async (place, { make }) => ({ topic: (await make.letter(place)).topic, metric: null, path: "", tsPath: null, signal: { role: "measurement" } }),
    shows: true,
  },
  "dataHealth.mappingProposals": {
    about: "list",
    ask: async (place, { make }) => {
      await make.letter(place);
      return { topic: "#", path: "" };
    },
    shows: true,
  },
  "dataHealth.mapMany": {
    "of its own topic": { about: "object", ask: async (place, { make }) => ({ items: [aMapping(place, (await make.letter(place)).topic)] }) },
    "to another site's topic": {
      about: "sites",
      ask: async (place, world) => ({ items: [aMapping(place, (await world.make.letter(elsewhere(place, world))).topic)] }),
    },
    "to every topic": { about: "sites", refused: ["UNPROCESSABLE_CONTENT"], ask: (place) => ({ items: [aMapping(place, "takt/v1/+/#")] }) },
  },

  "devices.list": { about: "list", ask: async (place, { make }) => void (await make.device(place)), shows: true },
  // Reads what it is sent, and nothing else.
  "devices.readCertificate": { about: "list", ask: () => ({ pem: "none" }), refused: ["BAD_REQUEST", "UNPROCESSABLE_CONTENT"] },
  "devices.put": {
    "of its own topics": { about: "object", ask: (place, world) => aDevice(place, world, place) },
    "to another site's topics": { about: "sites", ask: (place, world) => aDevice(place, world, elsewhere(place, world)) },
  },
  "devices.removal": { about: "object", ask: async (place, { make }) => ({ address: await make.device(place) }) },
  "devices.remove": { about: "object", ask: async (place, { make }) => ({ address: await make.device(place), version: null }) },

  "displays.own": { about: "display", ask: nothing },
  "displays.watch": { about: "display", ask: nothing },
  "displays.beat": { about: "display", ask: () => ({ screenId: "s", width: 1920, height: 1080, pixelRatio: 1, page: "", build: "x" }) },
  "displays.list": { about: "list", ask: async (place, { make }) => void (await make.display(place)), shows: true },
  "displays.changes": { about: "list", ask: nothing },
  "displays.lines": { about: "list", ask: nothing, shows: true },
  "displays.create": {
    "of its own lines": { about: "object", ask: (place, world) => ({ siteId: place.siteId, ...settings(place, world), expiresInDays: null }) },
    "of another site's line": {
      about: "object",
      never: true,
      ask: (place, world) => ({ siteId: place.siteId, ...settings(elsewhere(place, world), world), expiresInDays: null }),
    },
  },
  "displays.change": {
    "of its own lines": { about: "object", ask: async (place, world) => ({ ...(await world.make.display(place)), ...settings(place, world) }) },
    "to another site's line": {
      about: "object",
      never: true,
      ask: async (place, world) => ({ ...(await world.make.display(place)), ...settings(elsewhere(place, world), world) }),
    },
  },
  "displays.newLink": { about: "object", ask: async (place, { make }) => ({ ...(await make.display(place)), expiresInDays: null }) },
  "displays.revoke": { about: "object", ask: aDisplay },
  "displays.identify": { about: "object", ask: aDisplay },
  "displays.reload": { about: "object", ask: aDisplay },
  "displays.nextBoard": { about: "object", ask: aDisplay },
  "displays.pin": {
    "of its own line": { about: "object", ask: async (place, world) => ({ ...(await aDisplay(place, world)), lineId: place.lineId, minutes: 5 }) },
    "to another site's line": {
      about: "object",
      never: true,
      ask: async (place, world) => ({ ...(await aDisplay(place, world)), lineId: elsewhere(place, world).lineId, minutes: 5 }),
    },
  },
  "displays.unpin": { about: "object", ask: aDisplay },

  "people.list": { about: "list", ask: () => ({ site: null, role: null }), shows: true },
  "people.show": { about: "object", ask: aColleague },
  "people.places": { about: "list", ask: nothing, shows: true },
  "people.create": {
    "of one site": { about: "object", ask: (place, world) => ({ values: someone(place, world) }) },
    "of a line of another site": {
      about: "object",
      never: true,
      ask: (place, world) => ({
        values: { ...someone(place, world), memberships: [{ role: "operator", siteId: place.siteId, lineIds: [elsewhere(place, world).lineId] }] },
      }),
    },
    "of all sites": {
      about: "sites",
      ask: (_, world) => ({ values: { ...someone(world.own, world), memberships: [{ role: "viewer", siteId: null, lineIds: [] }] } }),
    },
  },
  "people.change": { about: "object", ask: async (place, world) => ({ ...(await aColleague(place, world)), version: 1, values: someone(place, world) }) },
  "people.disable": { about: "object", ask: aColleague },
  "people.enable": { about: "object", ask: aColleague },
  "people.giveLink": { about: "object", ask: async (place, world) => ({ ...(await aColleague(place, world)), byMail: false }) },
  "people.endSessions": { about: "object", ask: async (place, world) => ({ ...(await aColleague(place, world)), sessionId: null }) },
  "people.takeSecondFactor": { about: "object", ask: aColleague, refused: ["UNPROCESSABLE_CONTENT"] },
  "people.unlock": { about: "object", ask: aColleague },

  "plant.tree": { about: "list", ask: nothing, shows: true },
  "plant.item": { about: "object", ask: (place) => ({ kind: "machine" as const, address: machineAt(place) }) },
  "plant.list": { about: "list", ask: () => ({ kind: "machine" as const }), shows: true },
  "plant.put": {
    "of an area": { about: "object", ask: (place, world) => anArea(place, world) },
    "of money": {
      about: "object",
      needs: ["money.change"],
      ask: (place) => ({ kind: "machine" as const, address: machineAt(place), parent: null, fields: { hourly_costs: [{ cost: 12 }] }, version: null }),
    },
    "of a device": {
      about: "object",
      needs: ["device.change"],
      ask: (place, { make }) => {
        const key = make.named(place.mark, "device");
        return { kind: "device" as const, address: null, parent: place.site, fields: { key, name: key, identity: key }, version: null };
      },
    },
    "to another site's topic": {
      about: "sites",
      ask: (place, world) => ({
        kind: "signal" as const,
        address: null,
        parent: machineAt(place),
        fields: {
          key: world.make.named(place.mark, "signal"),
          name: "Mapped",
          role: "measurement",
          mapping: [{ topic: `takt/v1/${elsewhere(place, world).site}/x/${world.make.named(place.mark, "t")}`, path: "", ts_path: null }],
        },
        version: null,
      }),
    },
    "to another site's publisher": {
      about: "sites",
      needs: ["device.change"],
      ask: async (place, world) => {
        const key = world.make.named(place.mark, "device");
        const node = await world.make.node(elsewhere(place, world));
        return {
          kind: "device" as const,
          address: null,
          parent: place.site,
          fields: { key, identity: key, topics: [`spBv1.0/group/+/${node}/#`] },
          version: null,
        };
      },
    },
    "of another site's publisher": {
      about: "sites",
      ask: async (place, world) => {
        const node = await world.make.node(elsewhere(place, world));
        return { kind: "source" as const, address: null, parent: place.site, fields: { form: "sparkplug", address: `group/${node}/press` }, version: null };
      },
    },
    "of what all sites share": {
      about: "object",
      needs: ["catalogue.change"],
      ask: (place, { make }) => {
        const key = make.named(place.mark, "products");
        return { kind: "product_line" as const, address: null, parent: "walk", fields: { key, name: key }, version: null };
      },
    },
  },
  "plant.putMany": {
    "of one site": { about: "object", ask: (place, world) => ({ items: [anArea(place, world)] }) },
    "of two sites": { about: "sites", ask: (_, world) => ({ items: [anArea(world.own, world), anArea(world.other, world)] }) },
  },
  "plant.removal": { about: "object", ask: (place) => ({ kind: "machine" as const, address: machineAt(place) }) },
  "plant.remove": {
    about: "object",
    ask: async (place, { make }) => {
      const line = await make.line(place);
      return { kind: "signal" as const, address: `${machineAt(line)}/${line.signal}`, version: null };
    },
  },
  "plant.reorder": { about: "object", ask: (place) => ({ line: `${place.site}/${place.area}/${place.line}`, keys: [place.machine] }) },
  "plant.importProgress": { about: "own", ask: nothing },
  "plant.shifts": { about: "object", ask: ({ site }) => ({ site, from: "2026-04-01", days: 7, pattern: { shifts: [] } }) },
  "plant.exportYaml": { about: "sites", needs: ["money.read"], ask: nothing },

  "signatures.of": { about: "object", ask: ({ siteId }) => ({ kind: "site_configuration" as const, id: String(siteId) }) },
  "signatures.content": { about: "object", ask: async (place, { make }) => ({ id: String(await make.signature(place)) }) },
  "signatures.ask": { about: "list", byPeople: true, ask: nothing },
  "signatures.sign": {
    about: "object",
    byPeople: true,
    refused: ["BAD_REQUEST", "UNPROCESSABLE_CONTENT"],
    ask: ({ siteId }) => ({
      kind: "site_configuration" as const,
      id: String(siteId),
      meaning: "review" as const,
      contentHash: "0".repeat(64),
      login: null,
      password: "not mine",
      comment: null,
    }),
  },

  "signInRules.strictSites": { about: "list", ask: nothing, shows: true },
  "signInRules.setStrict": { about: "object", ask: ({ siteId }) => ({ siteId, isStrict: false }) },

  "terminals.list": { about: "list", ask: async (place, { make }) => void (await make.terminal(place)), shows: true },
  "terminals.sites": { about: "list", ask: nothing, shows: true },
  "terminals.change": {
    "of its own lines": { about: "object", ask: (place, world) => aTerminal(place, world, place.lineId) },
    "to another site's line": { about: "object", never: true, ask: (place, world) => aTerminal(place, world, elsewhere(place, world).lineId) },
  },
  "terminals.revoke": { about: "object", ask: async (place, { make }) => ({ id: await make.terminal(place) }) },
  "terminals.pins": { about: "list", ask: nothing, shows: true },
  "terminals.givePin": { about: "object", ask: async (place, { make }) => ({ personId: await make.colleague(place) }) },
  "terminals.letIn": { about: "object", ask: async (place, { make }) => ({ personId: await make.colleague(place) }) },

  "tokens.list": { about: "list", ask: async (place, { make }) => void (await make.token(place)), shows: true },
  "tokens.choices": { about: "list", ask: nothing, shows: true },
  "tokens.create": {
    about: "object",
    ask: (place, { make }) => ({ name: make.named(place.mark, "token"), sites: [place.siteId], actions: ["board.read" as const], days: 30 }),
  },
  "tokens.revoke": { about: "object", ask: async (place, { make }) => ({ id: await make.token(place) }) },
};

const aDevice = (place: Place, { make }: World, { site }: Place) => {
  const key = make.named(place.mark, "device");
  return { address: null, parent: place.site, fields: { key, name: key, identity: key, topics: [`takt/v1/${site}/#`] }, version: null };
};
const aMapping = (place: Place, topic: string) => ({
  topic,
  metric: null,
  path: "value",
  tsPath: null,
  machine: machineAt(place),
  key: `mapped-${place.lineId}-${topic.length}-${Math.random().toString(36).slice(2, 8)}`,
  fields: { name: "Mapped", role: "measurement" },
});
const aTerminal = async (place: Place, { make }: World, lineId: number) => {
  const id = await make.terminal(place);
  const stored = await make.one<{ name: string; autoLockS: number }>('select name, auto_lock_s as "autoLockS" from terminal where id = $1', [id]);
  const version = terminalVersion({ name: stored.name, lineIds: [], autoLockS: stored.autoLockS });
  return { id, version, name: make.named(place.mark, "terminal"), lineIds: [lineId], autoLockS: 60 };
};
/** A place of another site than this one. */
const elsewhere = (place: Place, { own, other }: World): Place => (place.siteId === own.siteId ? other : own);
const machineAt = ({ site, area, line, machine }: Place) => `${site}/${area}/${line}/${machine}`;
function anArea(place: Place, { make }: World) {
  const key = make.named(place.mark, "area");
  return { kind: "area" as const, address: null, parent: place.site, fields: { key, name: key }, version: null };
}
/** What is found elsewhere is nothing: there is none to settle. */
const foundOf = ({ topic, id }: { topic: string; id: string }) => ({ words: [topic], codes: [], lastId: id });
const groupOf = ({ topic, reasonCode, id }: { topic: string; reasonCode: string; id: string }) => ({ topic, reasonCode, metric: null, lastId: id });
