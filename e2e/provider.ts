/** A real OpenID Connect provider and a real mail server, for the specs that sign in. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { SMTPServer } from "smtp-server";

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/** Signs in whoever names themselves on its own page; their address is that name at example.com. */
export class WorksLogin {
  readonly server: Server;
  readonly issuer: string;
  private constructor(server: Server, issuer: string) {
    this.server = server;
    this.issuer = issuer;
  }

  /** takt: the address of the web app that may send people here. */
  static async open(takt: string): Promise<WorksLogin> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const issuer = `http://127.0.0.1:${portOf(server)}`;
    const provider = new Provider(issuer, {
      clients: [{ client_id: "takt", client_secret: "between Takt and the provider", redirect_uris: [`${takt}/api/auth/callback/oidc`] }],
      pkce: { required: () => true },
      scopes: ["openid", "profile", "email"],
      claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
      findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: id, email: `${id}@example.com`, email_verified: true }) }),
      cookies: { keys: ["of the tests"] },
      ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    });
    server.on("request", provider.callback());
    return new WorksLogin(server, issuer);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export class MailSink {
  readonly mails: { to: string; text: string }[] = [];
  private readonly server: SMTPServer;

  constructor() {
    this.server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("end", () => {
          const text = Buffer.concat(parts).toString().replace(/=\r\n/g, "").replace(/=3D/g, "=");
          this.mails.push({ to: session.envelope.rcptTo.map(({ address }) => address).join(), text });
          done();
        });
      },
    });
  }

  async open(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server.server, "listening");
    return `smtp://127.0.0.1:${portOf(this.server.server)}`;
  }

  close(): Promise<void> {
    return new Promise((done) => this.server.close(done));
  }
}
