/** Mails that signing in sends: a link, and word of a change that the person should know of. Plain text in the person's language. */
import { createTranslator } from "next-intl";
import { createTransport, type Transporter } from "nodemailer";
import { log } from "#/server/log.ts";
import { textsOf } from "#/server/texts.ts";
import { identityEnv, publicUrl } from "./env.ts";
import type { Purpose } from "./links.ts";

/** Whether this Takt can send mail. Without it an administrator makes links and hands them on. */
export const canMail = (): boolean => identityEnv().SMTP_URL !== undefined;

const patienceMs = 15_000;

let transport: Transporter | undefined;

function transporter(): Transporter {
  transport ??= createTransport({
    url: identityEnv().SMTP_URL,
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof createTransport>[0]);
  return transport;
}

type Recipient = { name: string; email: string; locale: string | null };
/** Keys of the catalogue `mail`. */
export type Notice = "password_changed" | "second_factor_on" | "second_factor_off";

async function send(to: Recipient, kind: Purpose | Notice, values: Record<string, string | number>): Promise<void> {
  const { locale, messages } = textsOf(to.locale);
  const t = createTranslator({ locale, messages, namespace: `mail.${kind}` as never }) as unknown as (
    key: string,
    values: Record<string, string | number>,
  ) => string;
  const { MAIL_FROM } = identityEnv();
  const all = { name: to.name, site: new URL(publicUrl()).host, ...values };
  await transporter().sendMail({
    from: MAIL_FROM ?? { name: "Takt", address: `takt@${new URL(publicUrl()).hostname}` },
    to: { name: to.name, address: to.email },
    subject: t("subject", all),
    text: t("text", all),
    headers: { "Auto-Submitted": "auto-generated" },
  });
  log().info({ mail: kind }, "a mail was sent");
}

/** @throws where the mail server does not take it */
export const sendLink = ({ to, purpose, url, lastsS }: { to: Recipient; purpose: Purpose; url: string; lastsS: number }): Promise<void> =>
  send(to, purpose, { url, hours: Math.max(1, Math.round(lastsS / 3600)) });

/** Tells a person what was changed of their account. Not waited for: the change stands whether the mail arrives or not. */
export function sendNotice(to: { name: string; email: string | null; locale: string | null }, kind: Notice): void {
  if (!canMail() || to.email === null) return;
  send({ ...to, email: to.email }, kind, { url: `${publicUrl()}/account` }).catch((error: unknown) => {
    log().warn({ err: error, mail: kind }, "a mail could not be sent");
  });
}
