/**
 * Electronic signatures after 21 CFR Part 11: who, when and meaning what (11.50), bound to the bytes that were signed (11.70), given with the signer's own
 * password at every signing and with the name, too, at the first of a session (11.200). docs/audit.md goes through it clause by clause.
 */
import { createHash } from "node:crypto";
import { type Changing, change } from "#/server/audit/change.ts";
import { note } from "#/server/audit/record.ts";
import { type Db, transaction } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { person, reenter } from "#/server/identity/service.ts";
import { hasSigned, insertSignature, loginsOf, type Meaning, type SignatureRow, signaturesOf, signedContent } from "./queries.ts";
import { readSignable, type Signable, type SignableKind } from "./signable.ts";

export type { Meaning };

type Asking = Changing & { db: Db; need(siteId: number): void; scope: { sites: "all" | readonly number[] } };

/** isValid: what was signed is what is there now, to the last byte. */
export type Signature = SignatureRow & { isValid: boolean };
export type Signatures = {
  name: string;
  /** Of the present content, hex: what a signature given now would be bound to. */
  contentHash: string;
  signatures: Signature[];
};

const hashOf = (content: string): string => createHash("sha256").update(content, "utf8").digest("hex");
const missing = "This is not there any more, or it belongs to a site that is not yours.";

/** @throws Refusal NOT_FOUND, FORBIDDEN */
function allow({ need, scope }: Asking, signable: { siteId: number | null } | null): void {
  if (!signable) throw new Refusal("NOT_FOUND", missing);
  if (signable.siteId !== null) need(signable.siteId);
  else if (scope.sites !== "all") throw new Refusal("FORBIDDEN", "This concerns all sites: it takes the permission at all of them.");
}

async function found(ctx: Asking, tx: Db, kind: SignableKind, id: string): Promise<Signable> {
  const signable = await readSignable(tx, kind, id);
  allow(ctx, signable);
  if (!signable) throw new Refusal("NOT_FOUND", missing);
  return signable;
}

/** Hashes of present contents by object, each with the version that it is of: a large plant takes a second to write out. */
const known = new Map<string, { version: string; hash: string }>();
const mostKnown = 200;

/** At one moment of the database. */
const lookAt = (ctx: Asking, kind: SignableKind, id: string): Promise<{ name: string; siteId: number | null; hash: string }> =>
  transaction(async (tx) => {
    await tx.rows("-- signatures.oneMoment\nset transaction isolation level repeatable read, read only");
    const { name, siteId, version, content } = await found(ctx, tx, kind, id);
    const key = `${kind} ${id}`;
    const before = known.get(key);
    const hash = before?.version === version ? before.hash : hashOf(await content());
    if (known.size >= mostKnown) known.clear();
    known.set(key, { version, hash });
    return { name, siteId, hash };
  });

/** @throws Refusal NOT_FOUND, FORBIDDEN */
export async function signaturesFor(ctx: Asking, kind: SignableKind, id: string): Promise<Signatures> {
  const { name, hash: contentHash } = await lookAt(ctx, kind, id);
  const rows = await signaturesOf(ctx.db, kind, id);
  return { name, contentHash, signatures: rows.map((row) => ({ ...row, isValid: row.contentHash === contentHash })) };
}

/** What signing will ask for. name: as it will be printed. */
export async function askToSign(ctx: Asking): Promise<{ name: string; needsLogin: boolean; hasPassword: boolean }> {
  const signer = person(ctx);
  const { hasPassword } = await loginsOf(ctx.db, signer.id);
  return { name: signer.name, needsLogin: !(await hasSigned(ctx.db, signer.sessionId)), hasPassword };
}

export type Signing = {
  kind: SignableKind;
  id: string;
  meaning: Meaning;
  /** What the signer has read: hash of the content, hex. */
  contentHash: string;
  /** User name or address; needed at the first signing of a session. */
  login: string | null;
  password: string;
  comment: string | null;
};

/**
 * Signs the content that the signer has read. @throws Refusal NOT_FOUND, FORBIDDEN; INVALID at login or password: not the signer's own; RULE_BROKEN: too many
 * tries; CONFLICT: the content has changed since it was read
 */
export async function sign(ctx: Asking, { kind, id, meaning, contentHash, login, password, comment }: Signing): Promise<Signature> {
  const signer = person(ctx);
  const { name, siteId } = await lookAt(ctx, kind, id);
  const account = await loginsOf(ctx.db, signer.id);
  if (!account.hasPassword)
    throw new Refusal("RULE_BROKEN", "Your account signs in without a password of its own, and a signature needs one. Set a password in your account first.");
  const isFirst = !(await hasSigned(ctx.db, signer.sessionId));
  const given = login?.trim().toLowerCase() ?? "";
  try {
    if (isFirst && !account.logins.includes(given)) throw wrongLogin();
    await reenter(ctx, password, "password");
  } catch (error) {
    if (error instanceof Refusal && error.code === "INVALID") {
      // 11.300 (d): tries that fail are reported.
      await note(ctx, { siteId, action: "signature.refused", subject: { kind, id, name }, after: { meaning, contentHash }, why: error.message });
    }
    throw error;
  }
  return change(ctx, { action: "signature.given", why: comment }, async (tx) => {
    const content = await (await found(ctx, tx, kind, id)).content();
    if (hashOf(content) !== contentHash)
      throw new Refusal("CONFLICT", "This was changed while you were reading it. Nothing was signed: look at it again, then sign what is there now.");
    const row = await insertSignature(tx, {
      siteId,
      subject: { kind, id, name },
      meaning,
      content,
      signer: { id: signer.id, name: signer.name, login: isFirst ? given : (account.logins[0] ?? "") },
      sessionId: signer.sessionId,
      factors: isFirst ? ["login", "password"] : ["password"],
      comment,
      at: ctx.now(),
    });
    return { ...row, isValid: true };
  });
}

const loginSentence = "Give the user name or address with which you sign in: a signature is given by the person who is signed in.";
const wrongLogin = () => new Refusal("INVALID", loginSentence, { fields: [{ path: "login", sentence: loginSentence }] });

/** The text that was signed, as it was then. @throws Refusal NOT_FOUND, FORBIDDEN */
export async function contentOf(ctx: Asking, signatureId: string): Promise<{ fileName: string; content: string }> {
  const row = await signedContent(ctx.db, signatureId);
  allow(ctx, row);
  if (!row) throw new Refusal("NOT_FOUND", missing);
  const name = row.subjectName.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  return { fileName: `${name}-${row.signedAt.toISOString().slice(0, 10)}.txt`, content: row.content };
}
