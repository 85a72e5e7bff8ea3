/** The colors of charts and pages. Series are told apart by people with any color vision. */
export interface Theme {
  /** Behind the page. */
  page: string;
  /** Behind figures and tables. */
  surface: string;
  /** Text. */
  ink: string;
  /** Captions and axes. */
  muted: string;
  /** Thin lines. */
  rule: string;
  /** Links, and what the text is about. */
  accent: string;
  /** A claim that is shown. */
  good: string;
  /** A claim that is not shown. */
  bad: string;
  /** Up to six categories. */
  series: readonly string[];
  /** Twelve ordered steps, for layers: early blue to late orange. */
  sequence: readonly string[];
}

/** Dark ink on light paper; also for charts in print. */
export const lightTheme: Theme = {
  page: "#fbfaf7",
  surface: "#ffffff",
  ink: "#1b1d22",
  muted: "#5b606b",
  rule: "#dedbd3",
  accent: "#1f5aa6",
  good: "#0b6b50",
  bad: "#a8390f",
  series: ["#0067a5", "#c2500a", "#007a5a", "#a23b86", "#7a6400", "#4b5563"],
  // deno-fmt-ignore
  sequence: [
    "#1d4a93", "#3e4999", "#57489b", "#6c4899", "#804894", "#92498c",
    "#a14c80", "#af5073", "#b74f61", "#b8514f", "#b3573a", "#a7601f",
  ],
};

/** Light ink on dark paper. */
export const darkTheme: Theme = {
  page: "#14161a",
  surface: "#1c1f25",
  ink: "#eceae4",
  muted: "#a5a9b2",
  rule: "#343841",
  accent: "#8ab8f5",
  good: "#62cfa8",
  bad: "#ff9d73",
  series: ["#6bb3ea", "#f5934f", "#4cc9a0", "#e08fc9", "#d9bd45", "#b6bcc7"],
  // deno-fmt-ignore
  sequence: [
    "#6292e1", "#7f90e7", "#998ee8", "#b18ce4", "#c68cdd", "#da8cd2",
    "#ea8ec4", "#f891b4", "#ff96a3", "#ff9e92", "#ffa882", "#ffb375",
  ],
};

/** Names the page's colors, so that one chart follows the reader's light or dark setting. */
export const pageTheme: Theme = {
  page: "var(--page)",
  surface: "var(--surface)",
  ink: "var(--ink)",
  muted: "var(--muted)",
  rule: "var(--rule)",
  accent: "var(--accent)",
  good: "var(--good)",
  bad: "var(--bad)",
  series: lightTheme.series.map((_, i) => `var(--series-${i + 1})`),
  sequence: lightTheme.sequence.map((_, i) => `var(--sequence-${i + 1})`),
};

/**
 * Writes both themes as CSS custom properties, switched by the reader's setting.
 * @returns A style sheet that gives the names of `pageTheme` their values.
 */
export function themeCss(): string {
  return `:root { color-scheme: light dark; ${declarations(lightTheme)} }
@media (prefers-color-scheme: dark) { :root { ${declarations(darkTheme)} } }`;
}

function declarations(theme: Theme): string {
  return [...themeColors(theme)].map(([name, color]) => `--${name}: ${color};`).join(" ");
}

/**
 * Lists a theme's colors by the names that `pageTheme` gives them, without the leading dashes.
 * @param theme The colors.
 */
export function themeColors({ series, sequence, ...single }: Theme): Map<string, string> {
  const numbered = (name: string, colors: readonly string[]) =>
    colors.map((color, i): [string, string] => [`${name}-${i + 1}`, color]);
  return new Map([
    ...Object.entries(single),
    ...numbered("series", series),
    ...numbered("sequence", sequence),
  ]);
}

/**
 * Picks evenly spaced steps of the ordered colors.
 * @param theme Whose colors.
 * @param count How many, at least 1.
 * @returns `count` colors, first and last included.
 */
export function sequenceOf(theme: Theme, count: number): string[] {
  const last = theme.sequence.length - 1;
  return Array.from(
    { length: count },
    (_, i) => theme.sequence[Math.round((last * i) / Math.max(1, count - 1))],
  );
}
