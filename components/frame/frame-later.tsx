"use client";
import dynamic from "next/dynamic";

/** The frame, its program loaded only where it is shown. */
export const FrameLater = dynamic(() => import("./frame.tsx").then(({ Frame }) => Frame));
