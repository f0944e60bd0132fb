"use client";
import { createContext } from "react";

/** A form with unsaved work: how to ask about it, and how to go to a page of Takt. */
export type Unsaved = { ask: (onLeave: () => void) => void; goTo: (path: string) => void };

/** The unsaved forms of the dialog or the page's part that they are in. */
export const UnsavedScope = createContext<Set<Unsaved> | null>(null);

const forms = new Set<Unsaved>();
let isLeaving = false;
/** Where the page stood while work was unsaved: a browser that cannot hold Back is brought back to it. */
let stood: { state: unknown; href: string } = { state: null, href: "" };

/** From now on nobody leaves the page without being asked: by a link, by Back and Forward, by closing the tab. Returns the end of it. */
export function holdUnsaved(form: Unsaved): () => void {
  if (forms.size === 0) listen();
  forms.add(form);
  return () => {
    if (forms.delete(form) && forms.size === 0) unlisten();
  };
}

/** Goes on at once where nothing is unsaved, else when the person says so. For what leaves a page by program. */
export function leaveWith(go: () => void): void {
  const form = [...forms].at(-1);
  if (form) form.ask(go);
  else go();
}

function listen(): void {
  isLeaving = false;
  stood = { state: history.state, href: location.href };
  window.addEventListener("beforeunload", onUnload);
  document.addEventListener("click", onClick, { capture: true });
  window.addEventListener("popstate", onPopState, { capture: true });
  window.navigation?.addEventListener("navigate", onNavigate);
}

function unlisten(): void {
  window.removeEventListener("beforeunload", onUnload);
  document.removeEventListener("click", onClick, { capture: true });
  window.removeEventListener("popstate", onPopState, { capture: true });
  window.navigation?.removeEventListener("navigate", onNavigate);
}

const onUnload = (event: BeforeUnloadEvent): void => event.preventDefault();

const isSamePage = (to: string, from: string): boolean => {
  const [a, b] = [new URL(to), new URL(from)];
  return a.pathname === b.pathname && a.search === b.search;
};

/** Before Next's own handler: a link inside the app loads no page, so the browser would not ask. */
function onClick(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target === "_blank" || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const to = new URL(link.href, location.href);
  if (to.origin !== location.origin || isSamePage(to.href, location.href)) return;
  event.preventDefault();
  event.stopPropagation();
  const form = [...forms].at(-1);
  form?.ask(() => form.goTo(to.pathname + to.search + to.hash));
}

/** Back and Forward within the app, where the browser lets a page hold them. */
function onNavigate(event: NavigateEvent): void {
  const { key, url, sameDocument } = event.destination;
  if (isLeaving || event.navigationType !== "traverse" || !event.cancelable || !sameDocument || url === null || isSamePage(url, location.href)) return;
  event.preventDefault();
  leaveWith(() => {
    isLeaving = true;
    window.navigation.traverseTo(key);
  });
}

/** The same where it does not, or not a second time: the address has changed already, and is put back before Next hears of it. */
function onPopState(event: PopStateEvent): void {
  if (isLeaving || isSamePage(location.href, stood.href)) return;
  event.stopImmediatePropagation();
  history.pushState(stood.state, "", stood.href); // with Next's own mark in its state, so that Next lets it pass
  leaveWith(() => {
    isLeaving = true;
    history.back();
  });
}
