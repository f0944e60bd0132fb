/** SQL of signatures. They are only ever added. */
import type { Db } from "#/server/db.ts";

/** 21 CFR 11.50 (a)(3): what a signature means. */
export const meanings = ["authorship", "review", "approval", "responsibility"] as const;
export type Meaning = (typeof meanings)[number];

export type SignatureRow = {
  id: string;
  siteId: number | null;
  meaning: Meaning;
  /** sha256 of what was signed, hex. */
  contentHash: string;
  signerId: string;
  signerName: string;
  signerLogin: string;
  factors: string[];
  comment: string | null;
  signedAt: Date;
};

const columns = `s.id::text, s.site_id as "siteId", s.meaning, encode(s.content_hash, 'hex') as "contentHash", s.signer_id as "signerId", s.signer_name as "signerName",
  s.signer_login as "signerLogin", s.factors, s.comment, s.signed_at as "signedAt"`;

/** Of one object, the newest first. */
export const signaturesOf = (db: Db, kind: string, id: string): Promise<SignatureRow[]> =>
  db.rows<SignatureRow>(
    `-- signatures.of
    select ${columns} from signature s where s.subject_kind = $1 and s.subject_id = $2 order by s.signed_at desc, s.id desc limit 200`,
    [kind, id],
  );

/** Whether this session has signed before: then it need not say again who signs. */
export async function hasSigned(db: Db, sessionId: string): Promise<boolean> {
  const [row] = await db.rows<{ has: boolean }>("-- signatures.hasSigned\nselect exists (select from signature where session_id = $1) as has", [sessionId]);
  return row?.has === true;
}

export type NewSignature = {
  siteId: number | null;
  subject: { kind: string; id: string; name: string };
  meaning: Meaning;
  content: string;
  signer: { id: string; name: string; login: string };
  sessionId: string;
  factors: readonly string[];
  comment: string | null;
  at: Date;
};

export async function insertSignature(
  tx: Db,
  { siteId, subject, meaning, content, signer, sessionId, factors, comment, at }: NewSignature,
): Promise<SignatureRow> {
  await tx.rows(
    `-- signatures.keepContent
    insert into signed_content (hash, content) values (sha256(convert_to($1::text, 'UTF8')), $1) on conflict do nothing`,
    [content],
  );
  const [row] = await tx.rows<SignatureRow>(
    `-- signatures.insert
    insert into signature as s (site_id, subject_kind, subject_id, subject_name, meaning, content_hash, signer_id, signer_name, signer_login, session_id, factors, comment, signed_at)
    values ($1, $2, $3, $4, $5, sha256(convert_to($6::text, 'UTF8')), $7, $8, $9, $10, $11, $12, $13) returning ${columns}`,
    [siteId, subject.kind, subject.id, subject.name, meaning, content, signer.id, signer.name, signer.login, sessionId, factors, comment, at],
  );
  if (!row) throw new Error("insert into signature returned nothing");
  return row;
}

export type SignedRow = { siteId: number | null; subjectKind: string; subjectId: string; subjectName: string; signedAt: Date; content: string };

export async function signedContent(db: Db, id: string): Promise<SignedRow | null> {
  const [row] = await db.rows<SignedRow>(
    `-- signatures.content
    select s.site_id as "siteId", s.subject_kind as "subjectKind", s.subject_id as "subjectId", s.subject_name as "subjectName", s.signed_at as "signedAt", c.content
    from signature s join signed_content c on c.hash = s.content_hash where s.id = $1`,
    [id],
  );
  return row ?? null;
}

/** What a person signs in with, as they may type it. */
export async function loginsOf(db: Db, personId: string): Promise<{ logins: string[]; hasPassword: boolean }> {
  const [row] = await db.rows<{ email: string | null; username: string | null; hasPassword: boolean }>(
    `-- signatures.logins
    select p.email, p.username, a.password is not null as "hasPassword"
    from person p left join account a on a.person_id = p.id and a.provider_id = 'credential' where p.id = $1`,
    [personId],
  );
  return { logins: [row?.username, row?.email].filter((login) => typeof login === "string"), hasPassword: row?.hasPassword === true };
}
