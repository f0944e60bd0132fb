/** One chain walked from its first entry to its last: what does not hold, in words. No database here; entries come in their order. */
import { beforeFirst, type EntryText, entryHash } from "./bytes.ts";
import type { Head, PublishedHead } from "./heads.ts";

export type Finding = {
  chain: number;
  /** The entry at which it shows; null: none in particular. */
  seq: number | null;
  sentence: string;
};

/** More of one chain are counted and not kept: memory stays constant, and nobody reads them. */
const mostFindings = 100;

export class ChainCheck {
  readonly findings: Finding[] = [];
  /** Entries looked at, and things found. */
  count = 0;
  found = 0;
  private readonly chain: number;
  private readonly name: string;
  private readonly published: ReadonlyMap<number, PublishedHead[]>;
  private last: { seq: number; hash: Buffer } = { seq: 0, hash: beforeFirst };
  /** The last published head that the chain still bears out. */
  private borneOut: PublishedHead | null = null;

  /** name: as sentences name the chain, "chain 3 (berlin)". published: heads of this chain from outside, in any order. */
  constructor(chain: number, name: string, published: readonly PublishedHead[]) {
    this.chain = chain;
    this.name = name;
    this.published = Map.groupBy(published, (head) => head.seq);
  }

  entry(e: EntryText): void {
    const seq = Number(e.seq);
    this.count += 1;
    if (seq !== this.last.seq + 1) this.lost(seq);
    else if (!e.previousHash.equals(this.last.hash))
      this.find(
        seq,
        seq === 1
          ? "does not begin the chain: it follows something that is not there. What stood before it was removed."
          : `does not follow from entry ${this.last.seq}: one of the two was replaced, or something between them was removed.`,
      );
    if (!entryHash(e).equals(e.hash))
      this.find(seq, `(${e.at}, ${e.action} by ${e.actorName}) was changed after it was written: its content does not give its hash.`);
    for (const head of this.published.get(seq) ?? []) this.compare(head, e.hash);
    this.last = { seq, hash: e.hash };
  }

  private lost(seq: number): void {
    const from = this.last.seq + 1;
    if (seq < from) return this.find(seq, "stands where no number is left for it: numbers do not go up by one.");
    this.find(
      from,
      `${from === seq - 1 ? "is missing" : `and those up to ${seq - 1} are missing`}: ${this.last.seq === 0 ? "the chain begins" : `entry ${this.last.seq} is followed`} with entry ${seq}.`,
    );
  }

  private compare(head: PublishedHead, hash: Buffer): void {
    if (hash.toString("hex") === head.hash) {
      this.borneOut = head;
      return;
    }
    const since =
      this.borneOut === null ? "somewhere from its beginning" : `after entry ${this.borneOut.seq}, which is still as published on ${this.borneOut.published}`;
    this.find(
      head.seq,
      `is not the one that was published on ${head.published} (hash ${short(head.hash)} then, ${short(hash.toString("hex"))} now): the chain was written anew ${since}.`,
    );
  }

  /** After the last entry. head: what the database itself holds for the chain's end. */
  end(head: Head | null): void {
    const { seq, hash } = this.last;
    if (head === null) {
      if (this.count > 0) this.find(null, "has entries, but its head is gone from the database (table audit_chain).");
    } else if (head.seq > seq) this.tail(head.seq, "the database's own head of the chain says so");
    else if (head.seq < seq) this.find(head.seq + 1, `and what follows up to ${seq} were not written by Takt: the head of the chain is entry ${head.seq}.`);
    else if (head.hash !== hash.toString("hex")) this.find(seq, "is not the one that the head of the chain was made of.");
    const beyond = [...this.published.keys()].filter((published) => published > seq).sort((a, b) => b - a)[0];
    const latest = beyond === undefined ? undefined : this.published.get(beyond)?.[0];
    if (latest && !(head && head.seq >= latest.seq)) this.tail(latest.seq, `entry ${latest.seq} was published on ${latest.published}`);
  }

  private tail(to: number, evidence: string): void {
    const from = this.last.seq + 1;
    this.find(from, `${from === to ? "is" : `and those up to ${to} are`} missing: the end of the chain was cut off (${evidence}).`);
  }

  private find(seq: number | null, what: string): void {
    this.found += 1;
    if (this.found > mostFindings) return;
    this.findings.push({ chain: this.chain, seq, sentence: seq === null ? `${capital(this.name)} ${what}` : `${capital(this.name)}: entry ${seq} ${what}` });
  }
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const short = (hash: string) => `${hash.slice(0, 12)}…`;
