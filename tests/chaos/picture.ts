/**
 * Draws a history as an SVG picture: one row for each user, with the user's runs as bars in the color of their outcome,
 * and the faults as vertical lines.
 */
import { byUser, type Fault, type HistoryEvent, type RunSpan, type UserHistory } from '../judge/history.ts';

const left = 90;
const right = 30;
const userHeight = 18;
const barHeight = 11;
const labelRow = 14;
const legendHeight = 46;
const pixelsPerSecond = 14;
const narrowest = 1_100;
const widest = 9_000;
/** The average width of a letter at the font size of 11 pixels. */
const letterWidth = 6;

const colors = {
  done: '#2e9d5b',
  failed: '#c0392b',
  retry: '#e0a32e',
  blocked: '#8e5bb5',
  aborted: '#7f8c8d',
  crashed: '#5d4037',
  'taken-along': '#b08968',
  'died with its worker': '#1b1b1b',
} as const;
type RunEnd = keyof typeof colors;

type Frame = { x(at: number): number; width: number; top: number; bottom: number };
export type PictureOptions = { title: string; startedAt: number; endedAt: number };

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeText = (text: string): string => text.replace(/[&<>"]/g, (letter) => escapes[letter]!);
const round = (value: number): string => value.toFixed(1);

const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}" ${more}>${escapeText(content)}</text>`;

/** The row of each label: the first row in which it does not overlap another label. */
export const rowsOf = (labels: { x: number; width: number }[]): number[] => {
  const ends: number[] = [];
  return labels.map(({ x, width }) => {
    const free = ends.findIndex((end) => end <= x);
    const row = free === -1 ? ends.length : free;
    ends[row] = x + width;
    return row;
  });
};

const labelWidth = (fault: Fault): number => 12 + labelOf(fault).length * letterWidth;

/** Whether a label fits to the right of its line. Near the right edge of the picture it is drawn to the left. */
const fits = (x: number, fault: Fault, width: number): boolean => x + labelWidth(fault) < width;

const labelOf = ({ fault, target }: Fault): string => (target ? `${fault} ${target}` : fault);

const drawFault = (fault: Fault, row: number, { x, top, bottom, width }: Frame): string => {
  const from = x(fault.at);
  const band = fault.until
    ? `<rect x="${round(from)}" y="${top}" width="${round(x(fault.until) - from)}" height="${bottom - top}" fill="#c0392b" opacity="0.07"/>`
    : '';
  const y = legendHeight + (row + 1) * labelRow;
  const line = `<line x1="${round(from)}" x2="${round(from)}" y1="${y - 9}" y2="${bottom}" stroke="#c0392b" stroke-width="0.8" opacity="0.75"/>`;
  const label = fits(from, fault, width)
    ? text(from + 3, y, labelOf(fault), 'fill="#8c2a20"')
    : text(from - 3, y, labelOf(fault), 'fill="#8c2a20" text-anchor="end"');
  return `${band}${line}${label}`;
};

const endOf = ({ end }: RunSpan): RunEnd => end?.outcome ?? 'died with its worker';

const drawRun = (run: RunSpan, y: number, { x }: Frame, endedAt: number): string => {
  const { start, end } = run;
  const width = Math.max(1.5, x(end?.at ?? Math.min(endedAt, start.at + 400)) - x(start.at));
  const title = `${start.seq}, attempt ${start.attempt}, token ${start.fencingToken}, ${start.worker}: ${endOf(run)}`;
  return `<rect x="${round(x(start.at))}" y="${round(y)}" width="${round(width)}" height="${barHeight}" fill="${colors[endOf(run)]}"><title>${escapeText(title)}</title></rect>`;
};

const drawUser = (user: UserHistory, index: number, frame: Frame, endedAt: number): string => {
  const y = frame.top + index * userHeight;
  const border = `<line x1="${left}" x2="${frame.width - right}" y1="${y + userHeight - 2}" y2="${y + userHeight - 2}" stroke="#e4e4e4"/>`;
  const ticks = user.accepted.map(
    ({ at }) => `<rect x="${round(frame.x(at))}" y="${round(y + barHeight + 2)}" width="1" height="3" fill="#3b6ea5"/>`,
  );
  const runs = user.runs.map((run) => drawRun(run, y + 1, frame, endedAt));
  return [text(6, y + 11, `…${user.userId.slice(-8)}`, 'fill="#333"'), border, ...ticks, ...runs].join('');
};

const drawLegend = (title: string): string => {
  const entries: [string, string][] = [...Object.entries(colors), ['accepted', '#3b6ea5']];
  let x = left;
  const parts = entries.map(([name, color]) => {
    const part = `<rect x="${x}" y="27" width="11" height="11" fill="${color}"/>${text(x + 16, 37, name, 'fill="#333"')}`;
    x += 34 + name.length * letterWidth;
    return part;
  });
  return text(6, 18, title, 'fill="#111" font-size="14"') + parts.join('');
};

const drawSeconds = ({ x, bottom, top }: Frame, startedAt: number, endedAt: number): string => {
  const parts: string[] = [];
  for (let second = 0; second <= (endedAt - startedAt) / 1_000; second += 10) {
    const at = x(startedAt + second * 1_000);
    parts.push(`<line x1="${round(at)}" x2="${round(at)}" y1="${top}" y2="${bottom + 4}" stroke="#ddd"/>`);
    parts.push(text(at, bottom + 16, `${second} s`, 'fill="#555" text-anchor="middle"'));
  }
  return parts.join('');
};

export const drawHistory = (events: HistoryEvent[], options: PictureOptions): string => {
  const { startedAt, endedAt, title } = options;
  const seconds = Math.max(1, (endedAt - startedAt) / 1_000);
  const width = Math.round(Math.min(widest, Math.max(narrowest, left + right + seconds * pixelsPerSecond)));
  const x = (at: number) => left + ((at - startedAt) / 1_000) * ((width - left - right) / seconds);
  const faults = events.filter((event): event is Fault => event.kind === 'fault').sort((a, b) => a.at - b.at);
  const rows = rowsOf(
    faults.map((fault) => {
      const at = x(fault.at);
      const wide = labelWidth(fault);
      return { x: fits(at, fault, width) ? at : at - wide, width: wide };
    }),
  );
  const users = byUser(events, { ledger: [], userQueues: [], leftOverQueues: [] })
    .filter(({ runs, accepted }) => runs.length + accepted.length > 0)
    .sort((a, b) => a.userId.localeCompare(b.userId));
  const top = legendHeight + (Math.max(-1, ...rows) + 1) * labelRow + 10;
  const bottom = top + users.length * userHeight;
  const frame: Frame = { x, width, top, bottom };
  const height = bottom + 26;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    drawLegend(title),
    drawSeconds(frame, startedAt, endedAt),
    ...faults.map((fault, index) => drawFault(fault, rows[index]!, frame)),
    ...users.map((user, index) => drawUser(user, index, frame, endedAt)),
    '</svg>',
    '',
  ].join('\n');
};
