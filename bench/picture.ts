/** The end-to-end rates as bars: one group for each case, a bar for each contender, and a line from its least to its largest round. */
import { median, shown } from './figures.ts';
import { type Comparison, rowsOf, titleOf } from './report.ts';

const width = 1_000;
const labels = 430;
const bars = 440;
const rowHeight = 24;
const headHeight = 44;

/** In the order of `contenders.ts`: ours, what it is compared with, and all others. */
const colorOf = (name: string): string => {
  if (name.startsWith('lanekeeper')) return name === 'lanekeeper' ? '#0b6e4f' : '#74a892';
  return name === 'bare-loop' ? '#b08900' : '#6b7a8f';
};

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${x}" y="${y}" ${more}>${escaped(content)}</text>`;

const shortened = (title: string): string => (title.length > 62 ? `${title.slice(0, 60)}…` : title);

export const draw = (comparison: Comparison): string => {
  const parts: string[] = [];
  let y = 20;
  for (const one of comparison.cases) {
    const rows = rowsOf(comparison, one).map(({ spec, sync, trials }) => {
      const rates = trials.flatMap(({ result }) => result?.endToEnd ?? []);
      return { spec, title: sync ? `${spec.title}; ${sync}` : spec.title, rates };
    });
    const largest = Math.max(1, ...rows.flatMap(({ rates }) => rates));
    const x = (rate: number): number => labels + (rate / largest) * bars;
    parts.push(
      text(12, y + 14, `${titleOf(one)} - end to end, requests a second`, 'font-weight="bold" font-size="15"'),
    );
    y += headHeight - 16;
    for (const { spec, title, rates } of rows) {
      const middle = y + rowHeight / 2;
      parts.push(text(labels - 8, middle + 4, shortened(title), 'text-anchor="end"'));
      if (rates.length > 0) {
        const value = median(rates);
        const [least, most] = [x(Math.min(...rates)), x(Math.max(...rates))];
        parts.push(
          `<rect x="${labels}" y="${y + 4}" width="${(x(value) - labels).toFixed(1)}" height="${rowHeight - 8}" fill="${colorOf(spec.name)}"/>`,
          `<path d="M${least.toFixed(1)} ${middle}H${most.toFixed(1)}" stroke="#111" stroke-width="1.5"/>`,
          text(Math.max(most, x(value)) + 8, middle + 4, shown(value)),
        );
      } else parts.push(text(labels + 4, middle + 4, 'failed'));
      y += rowHeight;
    }
    y += 24;
  }
  const style = 'font-family="sans-serif" font-size="12" fill="#111"';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" ${style}>
<rect width="${width}" height="${y}" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
};
