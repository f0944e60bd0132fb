import { z } from "zod";
import { roles } from "#/server/domain/permission.ts";
import { personName } from "#/server/identity/logins.ts";
import { may, router } from "#/server/trpc.ts";
import { endSessions, giveLink, takeSecondFactor, unlock } from "./access.ts";
import { changePerson, createPerson, listPeople, places, setActive, showPerson } from "./administration.ts";

const id = z.object({ id: z.uuid("This is no person's number.") });

/** Empty is none. Lower case, and what looks the same is the same, as at signing in. */
const login = z
  .string()
  .nullable()
  .transform((text) => (text ?? "").normalize("NFKC").trim().toLowerCase() || null);
const email = login.pipe(z.email("This is no e-mail address.").max(254, "The e-mail address is at most 254 characters long.").nullable());
const username = login.pipe(
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{1,39}$/, "A user name has 2 to 40 letters a to z, digits, '.', '_' or '-', and begins with a letter or digit.")
    .nullable(),
);
const membership = z.object({
  role: z.enum(roles, "Choose a role."),
  siteId: z.int32("Choose a site.").nullable(),
  lineIds: z.array(z.int32()).max(500, "At most 500 lines."),
});
const values = z
  .object({ name: personName, email, username, memberships: z.array(membership).max(200, "At most 200 roles.") })
  .refine((person) => person.email !== null || person.username !== null, {
    path: ["email"],
    message: "Give an e-mail address or a user name to sign in with.",
  });

export const peopleRouter = router({
  list: may("person.read")
    .input(z.object({ site: z.string().max(64).nullable(), role: z.enum(roles).nullable() }))
    .query(async ({ ctx, input }) => ({ at: ctx.now().getTime(), ...(await listPeople(ctx, input)) })),
  show: may("person.read")
    .input(id)
    .query(({ ctx, input }) => showPerson(ctx, input.id)),
  /** Sites and lines at which roles can be given. */
  places: may("person.change").query(({ ctx }) => places(ctx)),

  create: may("person.change")
    .input(z.object({ values }))
    .mutation(({ ctx, input }) => createPerson(ctx, input.values)),
  change: may("person.change")
    .input(id.extend({ version: z.int32(), values }))
    .mutation(({ ctx, input }) => changePerson(ctx, input.id, input.version, input.values)),
  disable: may("person.change")
    .input(id)
    .mutation(({ ctx, input }) => setActive(ctx, input.id, false)),
  enable: may("person.change")
    .input(id)
    .mutation(({ ctx, input }) => setActive(ctx, input.id, true)),

  giveLink: may("person.change")
    .input(id.extend({ byMail: z.boolean() }))
    .mutation(({ ctx, input }) => giveLink(ctx, input.id, input.byMail)),
  endSessions: may("person.change")
    .input(id.extend({ sessionId: z.uuid().nullable() }))
    .mutation(({ ctx, input }) => endSessions(ctx, input.id, input.sessionId)),
  takeSecondFactor: may("person.change")
    .input(id)
    .mutation(({ ctx, input }) => takeSecondFactor(ctx, input.id)),
  unlock: may("person.change")
    .input(id)
    .mutation(({ ctx, input }) => unlock(ctx, input.id)),
});
