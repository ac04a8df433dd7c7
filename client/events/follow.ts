/** Events without an end: through lost connections, without gaps and without repeats, because each one says where to go on. */
import { ApiError } from '../errors.ts';
import type { LaneEvent } from '../types.ts';
import { backOffMs, onOnline, pause } from '../wait.ts';
import type { OpenSource } from './source.ts';

const firstPauseMs = 500;
/** A connection that lasted so long was no failure, even if nothing happened meanwhile. */
const longEnoughMs = 5_000;

/** The API will refuse the same call again. What something in between answers may be over soon. */
const isFinal = (error: unknown): boolean => {
  if (!(error instanceof ApiError) || error.problem.code === 'unexpected-answer') return false;
  return error.problem.status < 500 && error.problem.status !== 429;
};

/**
 * Opens the source again whenever it ends.
 *
 * @throws {ApiError} when the API refuses for good.
 * @throws the reason of the signal.
 */
export async function* keepOpen<Event>(
  open: OpenSource<Event>,
  { after, signal }: { after: string; signal: AbortSignal },
): AsyncGenerator<Event> {
  let cursor = after;
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    // The old connection may be dead without knowing it.
    onOnline(() => over.abort(new Error('The browser is online again.')), either);
    const openedAt = Date.now();
    let hasMoved = false;
    let isWhole = false;
    let askedMs = 0;
    try {
      for await (const { id = cursor, event, isLast = false } of open({ cursor, signal: either })) {
        hasMoved ||= id !== cursor;
        isWhole = isLast;
        cursor = id;
        if (event !== undefined) yield event;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error)) throw error;
      isWhole = false;
      if (error instanceof ApiError) askedMs = (error.retryAfterSeconds ?? 0) * 1_000;
    } finally {
      over.abort();
    }
    if (hasMoved || Date.now() - openedAt > longEnoughMs) failures = 0;
    if (!isWhole || failures > 0) await pause(askedMs + backOffMs(failures, firstPauseMs), signal);
  }
}

/** @throws as `keepOpen` */
export async function* follow(
  open: OpenSource,
  options: { after: string; signal: AbortSignal },
): AsyncGenerator<LaneEvent> {
  let lastQueue = '';
  /** Calls that wait bring the queue each time. */
  const isNews = (event: LaneEvent): boolean => {
    if (event.type !== 'queue') return true;
    const { accepted, settled, pending, state } = event.queue;
    const before = lastQueue;
    lastQueue = [accepted, settled, pending, state].join();
    return lastQueue !== before;
  };
  for await (const event of keepOpen(open, options)) if (isNews(event)) yield event;
}
