"use client";
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useNow } from "#/components/ui/use-now.ts";
import { CertificateMark } from "./certificate-state.tsx";
import css from "./devices.module.css";
import { againEveryMs } from "./devices.tsx";
import { useDeviceWords } from "./use-device-words.ts";

/** On a device's page: what is known of it beside what was entered. */
export function DeviceFacts({ address }: { address: string }) {
  const t = useTranslations("devices");
  const trpc = useTRPC();
  const list = useQuery(trpc.devices.list.queryOptions(undefined, { refetchInterval: againEveryMs }));
  const now = useNow(list.data?.at ?? 0);
  const words = useDeviceWords(now);
  const device = list.data?.devices.find((one) => one.address === address);
  return (
    <QueryState query={list} lines={2}>
      {device && (
        <section className={css.card} aria-label={t("state")}>
          <dl className={css.facts}>
            <div>
              <dt>{t("seen")}</dt>
              <dd suppressHydrationWarning>{words.seen(device)}</dd>
            </div>
            <div>
              <dt>{t("certificateHead")}</dt>
              <dd>
                <CertificateMark state={device.certificate} />
                {device.expiresAt !== null && <span className={css.sub}>{words.ends(device)}</span>}
                {device.certificate === "mismatch" && <span className={css.sub}>{t("mismatchWhat", { name: device.certificateName ?? "" })}</span>}
              </dd>
            </div>
          </dl>
        </section>
      )}
    </QueryState>
  );
}
