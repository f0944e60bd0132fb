"use client";
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const ink: MantineColorsTuple = ["#eef3fb", "#dbe4f1", "#b6c7e0", "#8fa9cf", "#6d8fc0", "#4a74ae", "#2f63a6", "#1f5292", "#164379", "#0d3360"];

/** Deep enough for white words on it, 4.5:1, in both themes. */
const red: MantineColorsTuple = ["#fff1f0", "#ffdedb", "#ffbbb5", "#fd938a", "#f56a60", "#e5483f", "#d2322c", "#b91c1c", "#a31616", "#8a1010"];

/** Grounds and edges of the dark theme, as in states.css. */
const dark: MantineColorsTuple = ["#f3f6fb", "#c9d2e0", "#9fabc0", "#8792a8", "#3a4660", "#2c374d", "#1b2433", "#141b28", "#0f1520", "#0b0f17"];

const dialogTitle = { fontSize: 20, fontWeight: 650, letterSpacing: "-0.015em", lineHeight: 1.25 };

export const theme = createTheme({
  primaryColor: "ink",
  colors: { ink, red, dark },
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  fontFamily: "'Inter Variable', 'Inter until it has come', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'DejaVu Sans Mono', monospace",
  headings: { fontFamily: "'Inter Variable', 'Inter until it has come', system-ui, sans-serif", fontWeight: "650" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Hints below their fields, so that fields side by side stand level.
    InputWrapper: { defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] }, styles: { error: { marginTop: 5 } } },
    // The colour is in the ground; yellow words could not be read.
    Alert: { styles: { title: { color: "var(--ink)" } } },
    Drawer: { styles: { title: dialogTitle } },
    Modal: { styles: { title: dialogTitle } },
    SegmentedControl: { defaultProps: { withItemsBorders: false } },
  },
});
