import type { ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Config } from '../config.ts';

/** An answer has at most about 4 MB. Whoever reads it more slowly than 70 KB/s would keep it in memory for long. */
const readWithinMs = 60_000;
/** A part of a stream has less than a tenth of that. Whoever is disconnected goes on where it was. */
const readPartWithinMs = 10_000;

/** Emitted by an answer that has begun to stream, when its client must read before more is written. It emits `drain` then. */
export const unreadPart = 'unread';

/**
 * Bounds what clients that do not read their answers can keep in memory. A connection whose answer is not read in time is closed. When all
 * unread answers together exceed `maxUnreadBytes`, those that have waited longest are closed first.
 */
export const boundAnswers = ({ maxUnreadBytes }: Pick<Config, 'maxUnreadBytes'>): RequestHandler => {
  /** In the order in which they were ready. */
  const unread = new Map<ServerResponse, number>();
  let total = 0;

  const forget = (response: ServerResponse): void => {
    total -= unread.get(response) ?? 0;
    unread.delete(response);
  };

  const add = (response: ServerResponse, withinMs: number, until: 'close' | 'drain'): void => {
    forget(response);
    const bytes = response.writableLength;
    unread.set(response, bytes);
    total += bytes;
    for (const [oldest] of unread) {
      if (total <= maxUnreadBytes || oldest === response) break;
      forget(oldest);
      oldest.destroy();
    }
    const giveUp = setTimeout(() => response.destroy(), withinMs);
    const isRead = (): void => {
      clearTimeout(giveUp);
      response.off('close', isRead).off(until, isRead);
      forget(response);
    };
    response.once('close', isRead).once(until, isRead);
  };

  return (_request, response, next) => {
    response.once('prefinish', () => {
      if (response.writableLength > 0) add(response, readWithinMs, 'close');
    });
    response.on(unreadPart, () => add(response, readPartWithinMs, 'drain'));
    next();
  };
};
