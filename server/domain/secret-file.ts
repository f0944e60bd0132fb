/** Secrets of the environment that stand in files, as container platforms and systemd hand them over: `AUTH_SECRET_FILE=/run/secrets/auth` in place of `AUTH_SECRET`. */

/** What may be given so. Each program reads those of them that it needs. */
export const secretNames = ["AUTH_SECRET", "DATABASE_URL", "MIGRATE_DATABASE_URL", "MQTT_PASSWORD", "MQTT_URL", "OIDC_CLIENT_SECRET", "SMTP_URL"] as const;
export type SecretName = (typeof secretNames)[number];

/**
 * The variables that are set, with the files' texts (without the space around them) for those of `names` that are given so; and a line for each that is wrong,
 * which never holds a value. read: the text of a file; throws where it cannot be read.
 */
export function withSecretFiles(
  variables: Readonly<Record<string, string | undefined>>,
  names: readonly SecretName[],
  read: (path: string) => string,
): { present: Record<string, string>; wrong: string[] } {
  const present: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) if (value !== undefined && value.trim() !== "") present[name] = value;
  const wrong: string[] = [];
  for (const name of names) {
    const path = present[`${name}_FILE`];
    if (path === undefined) continue;
    if (present[name] !== undefined) {
      wrong.push(`${name} and ${name}_FILE are both set: set one of them`);
      continue;
    }
    try {
      const text = read(path).trim();
      if (text === "") wrong.push(`${name}_FILE names a file that is empty`);
      else present[name] = text;
    } catch (error) {
      wrong.push(`${name}_FILE names a file that cannot be read (${error instanceof Error && "code" in error ? error.code : "unknown"})`);
    }
  }
  return { present, wrong };
}
