// The order of one edge node's messages: seq counts 0 to 255 over the node and all of its devices, and begins anew with each NBIRTH.
import { crc32 } from "node:zlib";

export type Place = "next" | "duplicate" | "late" | "ahead";

const modulus = 256;

export class Sequence {
  /** The number that the next message must have. */
  expected = 0;
  private readonly prints = new Float64Array(modulus).fill(-1); // of the newest message under each number, to know it again
  private readonly missing = new Set<number>();

  /** A birth. What came before it stays known, to be known again when it comes twice. */
  start(seq: number, payload: Buffer): void {
    this.missing.clear();
    this.remember(seq, payload);
    this.expected = (seq + 1) % modulus;
  }

  /** Where a message belongs. late: it was given up as lost. ahead: others are missing before it. */
  place(seq: number, payload: Buffer): Place {
    if (seq === this.expected) return "next";
    if (this.prints[seq] === print(payload)) return "duplicate";
    return this.missing.has(seq) ? "late" : "ahead";
  }

  remember(seq: number, payload: Buffer): void {
    this.prints[seq] = print(payload);
  }

  /** The message of this number is taken; those skipped before it are missing from now on. Returns how many. */
  take(seq: number): number {
    const skipped = this.distance(seq);
    for (let i = 0; i < skipped; i++) this.missing.add((this.expected + i) % modulus);
    this.missing.delete(seq);
    this.expected = (seq + 1) % modulus;
    return skipped;
  }

  /** How many numbers lie between the expected one and this one. */
  distance(seq: number): number {
    return (seq - this.expected + modulus) % modulus;
  }
}

// Length and checksum in one number: 21 bits and 32 bits.
const print = (payload: Buffer) => (payload.length % 2097152) * 4294967296 + crc32(payload);
