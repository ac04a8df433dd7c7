/**
 * Hints in RabbitMQ: `[userId, seq]` or `[userId]`, many in one message, to the exchange that every RabbitMQ has for such messages. Whoever
 * listens has a queue of its own, bound to the lanes of its users.
 */
import { z } from 'zod';

export const hintExchange = 'amq.direct';

const hintKeyPrefix = (prefix: string): string => `${prefix}hints.`;

export const hintKey = (prefix: string, lane: number): string => `${hintKeyPrefix(prefix)}${lane}`;

/** The lane in a routing key that `hintKey` has made. */
export const laneOfHintKey = (prefix: string, key: string): number => Number(key.slice(hintKeyPrefix(prefix).length));

export const hintQueue = (prefix: string, name: string): string => `${prefix}hints.${name}`;

/** `seq` is absent where the first request that is not settled has changed. */
export type Hint = [userId: string, seq?: number];

/** More go into another message. */
export const maxHints = 200;
const maxContentBytes = 32_768;

const hints = z
  .array(z.union([z.tuple([z.string().min(1).max(64)]), z.tuple([z.string().min(1).max(64), z.int().min(1)])]))
  .max(maxHints);

/** What does not look like hints of ours, has none. */
export const hintsIn = (content: Buffer): Hint[] => {
  if (content.length > maxContentBytes) return [];
  try {
    return hints.safeParse(JSON.parse(content.toString('utf8'))).data ?? [];
  } catch {
    return [];
  }
};
