/** Runs once, before the first request: a wrong environment ends the program with a clear line for each variable. */
export async function register(): Promise<void> {
  // A constant that Next puts in: what follows is left out of the bundle for the edge, which cannot end a process.
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { endIfWrong } = await import("#/server/env.ts");
    const { identityEnv, whatIsWrong } = await import("#/server/identity/env.ts");
    endIfWrong(whatIsWrong(process.env));
    if (process.env.NODE_ENV === "production") (await import("#/server/log.ts")).takeConsole();
    const { putUpGate } = await import("#/server/gate/gate.ts");
    putUpGate({ publicUrl: identityEnv().PUBLIC_URL ?? null, developing: process.env.NODE_ENV === "development" });
    (await import("#/server/leaving.ts")).endStreamsOnLeaving();
  }
}
