"use client";
import { useEffect, useState } from "react";

/** The server's time, going on by the second from `at`, the server's instant of the newest answer (ms since 1970). */
export function useNow(at: number): number {
  const [now, setNow] = useState(at);
  useEffect(() => {
    const offsetMs = at - Date.now();
    setNow(at);
    const timer = setInterval(() => setNow(Date.now() + offsetMs), 1_000);
    return () => clearInterval(timer);
  }, [at]);
  return Math.max(now, at);
}
