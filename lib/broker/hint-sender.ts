/**
 * Sends hints. They must cost next to nothing where nobody listens: the hints of one turn of the event loop are one message for each lane,
 * and a lane whose message comes back because no queue is bound to it is left out for a second. Nothing waits for a hint, and any may be lost.
 */
import type { Channel } from 'amqplib';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Hints } from '../ports.ts';
import type { BrokerConnection } from './connection.ts';
import { type Hint, hintExchange, hintKey, laneOfHintKey, maxHints } from './hint-messages.ts';

/** Nobody listened to the lane a moment ago. */
const silentMs = 1_000;
/** RabbitMQ was away, or refuses hints. */
const brokenMs = 5_000;

type ByUser = Map<string, Set<number>>;

const listed = (users: ByUser): Hint[] =>
  [...users].flatMap(([userId, seqs]): Hint[] =>
    seqs.size === 0 ? [[userId]] : [...seqs].map((seq) => [userId, seq]),
  );

export const createHintSender = (
  connection: BrokerConnection,
  { queuePrefix }: Pick<Config, 'queuePrefix'>,
  log: Pick<Logger, 'debug'>,
): Hints => {
  /** By lane: until when nobody listens. */
  const silentUntil: (number | undefined)[] = [];
  const due = new Map<number, ByUser>();
  let channel: Channel | undefined;
  let isOpening = false;
  let isFull = false;
  let brokenUntil = Number.NEGATIVE_INFINITY;

  const open = async (): Promise<void> => {
    isOpening = true;
    try {
      const model = await connection.get();
      const opened = await model.createChannel();
      opened.on('return', ({ fields }) => {
        silentUntil[laneOfHintKey(queuePrefix, fields.routingKey)] = performance.now() + silentMs;
      });
      opened.on('drain', () => {
        isFull = false;
      });
      opened.on('error', (error) => {
        brokenUntil = performance.now() + brokenMs;
        log.debug({ err: error }, 'RabbitMQ refuses hints');
      });
      opened.once('close', () => {
        channel = undefined;
      });
      isFull = false;
      channel = opened;
    } catch {
      brokenUntil = performance.now() + brokenMs;
    } finally {
      isOpening = false;
    }
  };

  const publish = (lane: number, hints: Hint[]): void => {
    for (let first = 0; first < hints.length && channel && !isFull; first += maxHints) {
      const content = Buffer.from(JSON.stringify(hints.slice(first, first + maxHints)));
      isFull = !channel.publish(hintExchange, hintKey(queuePrefix, lane), content, { mandatory: true });
    }
  };

  const send = (): void => {
    const batch = [...due];
    due.clear();
    if (connection.isBlocked()) return;
    if (!channel) {
      if (!isOpening) void open();
      return;
    }
    try {
      for (const [lane, users] of batch) publish(lane, listed(users));
    } catch {
      // The channel has closed in this moment.
      channel = undefined;
    }
  };

  return {
    tell(lane, userId, seq) {
      const now = performance.now();
      if (now < brokenUntil || now < (silentUntil[lane] ?? 0)) return;
      if (due.size === 0) setImmediate(send);
      const users = due.get(lane) ?? new Map();
      due.set(lane, users);
      const seqs = users.get(userId) ?? new Set();
      users.set(userId, seq === undefined ? seqs : seqs.add(seq));
    },
  };
};
