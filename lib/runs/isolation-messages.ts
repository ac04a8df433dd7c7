/** What a worker and a process for isolated runs tell each other. User code may use the same channel: the names are ours. */
import type { Outcome, Run, RunError } from '../types.ts';

/** The file descriptor of a pipe that only the worker holds open: its end is the worker's. */
export const workerPipe = 4;

/** Worker to process. `run` comes when the run before has its outcome; `abort` means the current one. */
export type IsolationOrder =
  | { lanekeeper: 'run'; run: Omit<Run, 'signal'> }
  | { lanekeeper: 'abort' }
  | { lanekeeper: 'end' };

/** Process to worker. `ready` comes first, `alive` again and again: only a turning event loop can send it. */
export type IsolationReport =
  | { lanekeeper: 'ready' }
  | { lanekeeper: 'alive' }
  | { lanekeeper: 'uncaught'; error: RunError }
  | { lanekeeper: 'outcome'; outcome: Outcome };

const named = (message: unknown, names: string[]): boolean =>
  typeof message === 'object' &&
  message !== null &&
  'lanekeeper' in message &&
  names.includes(message.lanekeeper as string);

export const isIsolationOrder = (message: unknown): message is IsolationOrder =>
  named(message, ['run', 'abort', 'end']);

export const isIsolationReport = (message: unknown): message is IsolationReport =>
  named(message, ['ready', 'alive', 'uncaught', 'outcome']);
