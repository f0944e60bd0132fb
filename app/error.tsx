"use client";
import { PageFault } from "#/components/frame/page-fault.tsx";

export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return <PageFault id={error.digest ?? null} onAgain={reset} />;
}
