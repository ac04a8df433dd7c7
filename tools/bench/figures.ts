/** Numbers for people. */

/** The value that `share` (0 to 1) of the values do not exceed: the nearest rank, never an invented value between two. */
export const percentile = (values: number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
};

export const perSecond = (count: number, ms: number): number => (count * 1_000) / ms;

export const whole = (value: number): string => value.toLocaleString('en-US');

export const rate = (value: number): string => `${whole(Math.round(value))}/s`;

export const ratio = (value: number, base: number): string => `${(value / base).toFixed(2)} of it`;

export const latency = (values: number[]): string => {
  const ms = (share: number) => percentile(values, share).toFixed(1);
  return `p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms`;
};

export const shareOf = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

/** Columns as wide as they must be; the first one to the left, all others to the right. */
export const table = (rows: string[][]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(cell).join('  ')}`.trimEnd()).join('\n');
};
