"use client";
import { useFormatter } from "next-intl";
import { useCallback } from "react";

/** UCUM codes whose sign everyone knows. */
const unitNames: Readonly<Record<string, string>> = { Cel: "°C", degF: "°F", "1/min": "1/min", "%": "%" };

/** A reading as people write it: the text, or the number with its unit. */
export function useValue(): (reading: { value: number | null; text: string | null; unit: string }) => string {
  const number = useFormatter();
  return useCallback(
    ({ value, text, unit }) => {
      if (text !== null) return text;
      if (value === null) return "–";
      return `${number.number(value, { maximumFractionDigits: 3 })}${unit === "" || unit === "1" ? "" : ` ${unitNames[unit] ?? unit}`}`;
    },
    [number],
  );
}
