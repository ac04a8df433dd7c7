/**
 * Writes and reads the history of a test. Each event is appended synchronously, so it survives the death of its
 * process.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import type { HistoryEvent } from '../judge/history.ts';

export type Recorder = (event: HistoryEvent) => void;

export const recorder = ({ HISTORY_FILE: file }: NodeJS.ProcessEnv): Recorder => {
  if (!file) throw new Error('HISTORY_FILE is not set.');
  // The leading newline keeps the event apart from an incomplete line before it.
  return (event) => appendFileSync(file, `\n${JSON.stringify(event)}\n`);
};

/**
 * Nothing for an incomplete line: its process was killed while it wrote the line, so what the event announces did not
 * happen.
 */
const eventOf = (line: string): HistoryEvent[] => {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
};

export const readHistory = (file: string): HistoryEvent[] => readFileSync(file, 'utf8').split('\n').flatMap(eventOf);
