"use client";
import { useEffect } from "react";

/** Says in the document that the page's program has taken over what the server sent. A part of each page, not of the frame: a page that is streamed wakes later. */
export function Awake() {
  useEffect(() => {
    document.documentElement.dataset.awake = "";
  }, []);
  return null;
}
