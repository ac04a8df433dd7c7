/** How the processes of one run write its history: one line an event, appended at once, whoever dies next. */
import { appendFileSync, readFileSync } from 'node:fs';
import type { HistoryEvent } from '../judge/history.ts';

export type Recorder = (event: HistoryEvent) => void;

export const recorder = ({ HISTORY_FILE: file }: NodeJS.ProcessEnv): Recorder => {
  if (!file) throw new Error('HISTORY_FILE names no file.');
  return (event) => appendFileSync(file, `${JSON.stringify(event)}\n`);
};

export const readHistory = (file: string): HistoryEvent[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as HistoryEvent);
