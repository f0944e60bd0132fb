/** Who may do what. One map, so that a screen, a procedure and the documentation cannot disagree. */

/** Everything that can be asked for. */
export const actions = ["board.read", "data_health.read", "dead_letter.retry", "dead_letter.discard", "signal.map"] as const;
export type Action = (typeof actions)[number];

export const roles = ["local_user"] as const;
export type Role = (typeof roles)[number];

/** Whoever sits at the machine itself: the web app listens on 127.0.0.1 only, and there is no sign-in to tell people apart. */
export type Actor = { role: Role; name: string };

const permitted: Record<Role, readonly Action[]> = { local_user: actions };

export const may = (actor: Actor, action: Action): boolean => permitted[actor.role].includes(action);

/** Why not, in words; null where the actor may. */
export const whyMayNot = (actor: Actor, action: Action): string | null =>
  may(actor, action) ? null : `${actor.name} may not do this (${action}). Ask an administrator for the permission.`;
