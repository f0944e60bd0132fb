"use client";
import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext } from "react";

export type OfferedSite = { key: string; name: string };

const Sites = createContext<readonly OfferedSite[]>([]);
export const SitesProvider = ({ sites, children }: { sites: readonly OfferedSite[]; children: ReactNode }) => <Sites value={sites}>{children}</Sites>;

/** The sites that this person may see. */
export const useSites = () => useContext(Sites);

/** The site that the page is narrowed to, in its address, so that a link shows what the sender saw. null: all. */
export function useSite(): [site: string | null, choose: (key: string | null) => void] {
  const sites = useSites();
  const parameters = useSearchParams();
  const path = usePathname();
  const router = useRouter();
  const asked = parameters.get("site");
  const site = sites.some(({ key }) => key === asked) ? asked : null;
  const choose = useCallback(
    (key: string | null) => {
      const next = new URLSearchParams(parameters);
      if (key === null) next.delete("site");
      else next.set("site", key);
      router.replace(next.size > 0 ? `${path}?${next}` : path, { scroll: false });
    },
    [parameters, path, router],
  );
  return [site, choose];
}
