/** Statistics of the measurements, and the tables that show them. */

/** The value that `share` (0 to 1) of the values do not exceed: the nearest rank, so always a measured value. */
export const percentile = (values: number[], share: number): number => {
  const rank = Math.max(1, Math.ceil(share * values.length));
  return values.toSorted((a, b) => a - b)[rank - 1] ?? Number.NaN;
};

export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
};

/** Three digits are more than any of these figures is good for. */
export const shown = (value: number): string => {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
};

/** The median, and where there are several values the least and the largest. */
export const spread = (values: number[]): string => {
  const known = values.filter(Number.isFinite);
  if (known.length < 2) return shown(median(known));
  return `${shown(median(known))} (${shown(Math.min(...known))}..${shown(Math.max(...known))})`;
};

/** One line of the table of targets. `isMet`: `undefined` where the figure is missing. */
export type Target = { figure: string; value: string; target: string; isMet: boolean | undefined };

const compare =
  (isMet: (value: number, limit: number) => boolean, sign: string) =>
  (figure: string, values: number[], limit: number, unit = ''): Target => {
    const value = median(values.filter(Number.isFinite));
    return {
      figure,
      value: `${spread(values)}${unit}`,
      target: `${sign} ${shown(limit)}${unit}`,
      isMet: Number.isFinite(value) ? isMet(value, limit) : undefined,
    };
  };

/** By the medians. */
export const atLeast = compare((value, limit) => value >= limit, 'at least');
export const atMost = compare((value, limit) => value <= limit, 'at most');

export const markdownTable = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const metTexts = (isMet: boolean | undefined): string => {
  if (isMet === undefined) return 'not measured';
  return isMet ? 'met' : 'not met';
};

export const targetTable = (targets: Target[]): string =>
  markdownTable(
    ['Figure', 'Value', 'Target', ''],
    targets.map(({ figure, value, target, isMet }) => [figure, value, target, metTexts(isMet)]),
  );
