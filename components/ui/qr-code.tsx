"use client";
import { create } from "qrcode";
import { useMemo } from "react";
import css from "./qr-code.module.css";

/** Pixels of a square, and of the border that cameras need: whole ones, so that the squares come out even. */
const squarePx = 4;
const border = 4;

/** Dark on light in both themes: that is how cameras read it. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const { modules } = create(text, { errorCorrectionLevel: "M" });
    const squares = Array.from({ length: modules.size * modules.size }, (_, n) => n).filter((n) => modules.data[n]);
    return { size: modules.size, path: squares.map((n) => `M${n % modules.size} ${Math.floor(n / modules.size)}h1v1h-1z`).join("") };
  }, [text]);
  return (
    <svg
      className={css.qr}
      width={(size + 2 * border) * squarePx}
      height={(size + 2 * border) * squarePx}
      viewBox={`${-border} ${-border} ${size + 2 * border} ${size + 2 * border}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <path d={path} fill="#000" />
    </svg>
  );
}
