import { z } from "zod";
import { may, router } from "#/server/trpc.ts";
import { meanings } from "./queries.ts";
import { askToSign, contentOf, sign, signaturesFor } from "./service.ts";
import { signableKinds } from "./signable.ts";

const subject = { kind: z.enum(signableKinds), id: z.string().regex(/^\d{1,9}$/) };

export const signatureRouter = router({
  of: may("signature.read")
    .input(z.object(subject))
    .query(({ ctx, input }) => signaturesFor(ctx, input.kind, input.id)),
  content: may("signature.read")
    .input(z.object({ id: z.string().regex(/^\d{1,18}$/) }))
    .query(({ ctx, input }) => contentOf(ctx, input.id)),
  ask: may("signature.give").query(({ ctx }) => askToSign(ctx)),
  sign: may("signature.give")
    .input(
      z.object({
        ...subject,
        meaning: z.enum(meanings, { error: "Say what your signature means." }),
        contentHash: z.string().regex(/^[0-9a-f]{64}$/),
        login: z.string().max(254).nullable(),
        password: z.string().min(1, "Give your password.").max(1_000, "This is not your password."),
        comment: z
          .string()
          .trim()
          .max(1_000, "The comment is at most 1,000 characters long.")
          .transform((text) => (text === "" ? null : text))
          .nullable(),
      }),
    )
    .mutation(({ ctx, input }) => sign(ctx, input)),
});
