/** Currencies of ISO 4217, as this program's runtime knows them. Pure. */

const known = new Set(Intl.supportedValuesOf("currency"));

/** True for a code such as EUR. */
export const isCurrency = (code: string): boolean => known.has(code);
export const currencies = (): string[] => [...known].sort();

/** Digits after the point that amounts of the currency are written with: 2 for EUR, 0 for JPY. */
export const currencyDigits = (code: string): number =>
  new Intl.NumberFormat("en", { style: "currency", currency: code }).resolvedOptions().maximumFractionDigits ?? 2;
