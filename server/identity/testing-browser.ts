/** For tests: a browser with cookies of its own, in front of the real handler and the real database. */
import { db } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { personActor } from "#/server/people/service.ts";
import { answer } from "./handler.ts";
import { setPassword, setPin } from "./reset.ts";

export type Answer = { status: number; body: Record<string, unknown>; headers: Headers };

export class Browser {
  readonly cookies = new Map<string, string>();
  readonly address: string;
  readonly userAgent: string;

  constructor(address = "192.0.2.10", userAgent = "test browser") {
    this.address = address;
    this.userAgent = userAgent;
  }

  headers(more: Record<string, string> = {}): Headers {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return new Headers({ host: "localhost:3000", "x-takt-peer": this.address, "user-agent": this.userAgent, ...(cookie ? { cookie } : {}), ...more });
  }

  async post(path: string, body: unknown = {}, more: Record<string, string> = {}): Promise<Answer> {
    const headers = this.headers({ origin: "http://localhost:3000", "sec-fetch-site": "same-origin", "content-type": "application/json", ...more });
    return this.take(await answer(new Request(`http://localhost:3000/api/auth${path}`, { method: "POST", headers, body: JSON.stringify(body) })));
  }

  async get(path: string): Promise<Answer> {
    return this.take(await answer(new Request(`http://localhost:3000/api/auth${path}`, { headers: this.headers() })));
  }

  private async take(response: Response): Promise<Answer> {
    for (const set of response.headers.getSetCookie()) {
      const [pair = ""] = set.split(";");
      const at = pair.indexOf("=");
      if (/max-age=0/i.test(set)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const text = await response.text();
    return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : {}, headers: response.headers };
  }

  signIn(login: string, password: string, stay = false): Promise<Answer> {
    return this.post("/sign-in/username", { login, password, stay });
  }

  /** Who the server takes this browser for. */
  actor(now = new Date()): Promise<Extract<Actor, { kind: "person" }> | null> {
    return personActor(this.headers({ "sec-fetch-dest": "document" }), now);
  }
}

type NewPerson = { name?: string; email?: string | null; username?: string | null; password?: string | null; pin?: string };

/** Somebody who can sign in. */
export async function aSignIn({ name = "Ann Example", email = null, username = null, password = null, pin }: NewPerson): Promise<string> {
  const [person] = await db.rows<{ id: string }>("insert into person (name, email, username) values ($1, $2, $3) returning id", [name, email, username]);
  if (!person) throw new Error("no person");
  if (password !== null) await setPassword(db, person.id, password);
  if (pin !== undefined) await setPin(db, person.id, pin);
  return person.id;
}
