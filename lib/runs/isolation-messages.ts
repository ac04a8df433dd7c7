/** The messages between a worker and an isolated process. User code may use the same channel, so the key is our own name. */
import type { Outcome, Run, RunError } from '../types.ts';

/** The file descriptor of a pipe that only the worker holds open: it closes when the worker ends. */
export const workerPipe = 4;

/** A run as it travels to the process. */
export type PlainRun = Omit<Run, 'signal'>;

/** Worker to process. `id` names one run of the process. `ended`: an operator ended it. */
export type IsolationOrder =
  | { lanekeeper: 'run'; id: number; run: PlainRun }
  | { lanekeeper: 'abort'; id: number; ended: boolean }
  | { lanekeeper: 'end' };

/**
 * Process to worker. `ready` comes first. `alive` is the heartbeat: only a turning event loop can send it. `rejections`: how many
 * rejected promises were left unhandled since the report before. There may be thousands a second, so none has a message of its own.
 */
export type IsolationReport = { rejections?: number } & (
  | { lanekeeper: 'ready' }
  | { lanekeeper: 'alive' }
  | { lanekeeper: 'uncaught'; error: RunError }
  | { lanekeeper: 'outcome'; id: number; outcome: Outcome }
);

const isNamed = (message: unknown, names: string[]): boolean =>
  typeof message === 'object' &&
  message !== null &&
  'lanekeeper' in message &&
  names.includes(message.lanekeeper as string);

export const isIsolationOrder = (message: unknown): message is IsolationOrder =>
  isNamed(message, ['run', 'abort', 'end']);

export const isIsolationReport = (message: unknown): message is IsolationReport =>
  isNamed(message, ['ready', 'alive', 'uncaught', 'outcome']);
