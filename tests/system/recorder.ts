/** How the processes of a test write its history: one line an event, appended at once, whoever dies next. */
import { appendFileSync, readFileSync } from 'node:fs';
import type { HistoryEvent } from '../judge/history.ts';

export type Recorder = (event: HistoryEvent) => void;

export const recorder = ({ HISTORY_FILE: file }: NodeJS.ProcessEnv): Recorder => {
  if (!file) throw new Error('HISTORY_FILE names no file.');
  // On a line of its own, also behind one that was torn.
  return (event) => appendFileSync(file, `\n${JSON.stringify(event)}\n`);
};

/** Nothing for what a process was killed in the middle of writing: it went on to nothing after it. */
const eventOf = (line: string): HistoryEvent[] => {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
};

export const readHistory = (file: string): HistoryEvent[] => readFileSync(file, 'utf8').split('\n').flatMap(eventOf);
