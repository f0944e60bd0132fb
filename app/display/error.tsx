"use client";
import { useEffect } from "react";
import { PageFault } from "#/components/frame/page-fault.tsx";

/** Nobody stands before a wall to press a button: it tries again by itself, not all of them at once. */
export default function DisplayFault({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  useEffect(() => {
    const timer = setTimeout(() => location.reload(), 20_000 + Math.random() * 20_000);
    return () => clearTimeout(timer);
  }, []);
  return <PageFault id={error.digest ?? null} onAgain={reset} />;
}
