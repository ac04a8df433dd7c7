/** A logger whose lines a test can read. */
import { createLogger, type Logger } from '../../lib/log.ts';

export type LogLine = { level: number; msg: string } & Record<string, unknown>;

export const error = 50;
export const warn = 40;
export const info = 30;
export const debug = 20;

export const readableLog = (level = 'info'): { log: Logger; lines: LogLine[] } => {
  const lines: LogLine[] = [];
  return { log: createLogger(level, {}, { write: (line) => void lines.push(JSON.parse(line)) }), lines };
};
