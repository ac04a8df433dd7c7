import { stdout } from 'node:process';
import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';

/** One line for each row, in columns, without lines between them: people and `grep` read it. */
export const printTable = (head: string[], rows: (string | number | undefined)[][]): void => {
  const bar = ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) => [
    side,
    `${side}-left`,
    `${side}-right`,
    `${side}-mid`,
  ]);
  const chars = Object.fromEntries([...bar, 'middle'].map((name) => [name, '']));
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 };
  const table = new Table({ head: head.map((name) => styleText('bold', name)), chars, style });
  // What others have written must not move the cursor or color the terminal.
  table.push(...rows.map((row) => row.map((cell) => plain(String(cell ?? '')))));
  stdout.write(`${table.toString().replace(/[ \t]+$/gm, '')}\n`);
};

/** Cuts a text to one line, and leaves out control characters. */
export const plain = (text: string, length = 100): string => {
  const line = stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
};

export const printJson = (value: unknown): void => void stdout.write(`${JSON.stringify(value, null, 2)}\n`);

export const say = (line: string): void => void stdout.write(`${line}\n`);

const steps: [unit: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** `90_000` is `1 min`. */
export const inWords = (ms: number): string => {
  const [unit, length] = steps.find(([, step]) => ms >= step) ?? ['ms', 1];
  return `${Math.floor(ms / length)} ${unit}`;
};

/** How long ago a time of an answer was. */
export const ago = (time: string | undefined): string | undefined =>
  time === undefined ? undefined : `${inWords(Math.max(0, Date.now() - Date.parse(time)))} ago`;
