"use client";
import Link from "next/link";
import { type ComponentProps, createContext, useContext } from "react";

/** True on a wall display: nobody is there to follow a link, and it may show nothing but its boards. */
export const OnDisplay = createContext(false);

/** A way on from a board; on a display its words alone. */
export function BoardLink({ children, ...link }: ComponentProps<typeof Link>) {
  return useContext(OnDisplay) ? (
    <span suppressHydrationWarning={link.suppressHydrationWarning}>{children}</span>
  ) : (
    <Link prefetch={false} {...link}>
      {children}
    </Link>
  );
}

/** What only makes sense to a person who can go on from here. */
export const ForPeople = ({ children }: { children: React.ReactNode }) => (useContext(OnDisplay) ? null : children);
