/** What `npm start` prints: one prefixed line for each line of what it runs; JSON log lines in a form for people. */
import { stdout } from 'node:process';

const width = 'mongodb'.length + 2;
const levels: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parse = (line: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const shown = (value: unknown): string => {
  if (isRecord(value) && typeof value.message === 'string') return value.message;
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** A pino line as `info text name=value`; any other line as it is. */
export const forPeople = (line: string): string => {
  const entry = line.startsWith('{') ? parse(line) : undefined;
  if (!entry || typeof entry.level !== 'number') return line;
  const { level, time: _time, msg, ...fields } = entry;
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  return [levels[level as number] ?? String(level), msg, ...pairs].filter(Boolean).join(' ');
};

/** Prints under a name, in a column. */
export const printer =
  (name: string) =>
  (line: string): void =>
    void stdout.write(`${name.padEnd(width)} ${line}\n`);
