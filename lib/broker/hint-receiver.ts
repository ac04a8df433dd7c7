/**
 * Hears hints of the lanes that somebody listens to: on a connection of its own, from a queue that is this connection's alone and holds
 * little. It opens with the first lane and closes with the last. RabbitMQ may be away: then nothing is heard.
 */
import { randomUUID } from 'node:crypto';
import type { Channel } from 'amqplib';
import { sleep, systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import type { HintSource } from '../ports.ts';
import { createConnection } from './connection.ts';
import { hintExchange, hintKey, hintQueue, hintsIn } from './hint-messages.ts';
import { urlsInRandomOrder } from './open-connection.ts';

/** The oldest are dropped when the process does not keep up. */
const maxQueued = 10_000;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

type Opened = { channel: Channel; queue: string; bound: Set<number>; closed: Promise<void> };

type Connection = ReturnType<typeof createConnection>;
type Heard = (userId: string, seq?: number) => void;

/** Binds the queue to these lanes, and to no others. */
const bind = async (
  { channel, queue, bound }: Opened,
  lanes: ReadonlySet<number>,
  queuePrefix: string,
): Promise<void> => {
  for (const lane of lanes) {
    if (bound.has(lane)) continue;
    bound.add(lane);
    await channel.bindQueue(queue, hintExchange, hintKey(queuePrefix, lane));
  }
  for (const lane of bound) {
    if (lanes.has(lane)) continue;
    bound.delete(lane);
    await channel.unbindQueue(queue, hintExchange, hintKey(queuePrefix, lane));
  }
};

const open = async (
  connection: Connection,
  queuePrefix: string,
  log: Pick<Logger, 'warn'>,
  heard: Heard,
): Promise<Opened> => {
  const channel = await (await connection.get()).createChannel();
  const closed = new Promise<void>((resolve) => {
    channel.once('close', resolve);
  });
  channel.on('error', (error) => logSampled(log, 'warn', { err: error }, 'RabbitMQ refuses hints'));
  const queue = hintQueue(queuePrefix, randomUUID());
  const limits = { 'x-queue-type': 'classic', 'x-max-length': maxQueued };
  await channel.assertQueue(queue, { exclusive: true, autoDelete: true, durable: false, arguments: limits });
  const onMessage = (message: { content: Buffer } | null): void => {
    for (const [userId, seq] of message ? hintsIn(message.content) : []) heard(userId, seq);
  };
  await channel.consume(queue, onMessage, { noAck: true });
  return { channel, queue, bound: new Set(), closed };
};

export const createHintReceiver = (
  config: Pick<Config, 'rabbitmqUrl' | 'queuePrefix' | 'heartbeatSeconds'>,
  log: Logger,
  heard: Heard,
): HintSource => {
  const { rabbitmqUrl, queuePrefix, heartbeatSeconds } = config;
  const connect = () =>
    createConnection({ urls: urlsInRandomOrder(rabbitmqUrl), name: 'lanekeeper hints', heartbeatSeconds }, log);
  const stop = new AbortController();
  let wanted: ReadonlySet<number> = new Set();
  let opened: Opened | undefined;
  let listening: Promise<void> | undefined;
  /** Ends a session of hearing: nobody wants a lane any more. */
  let leave: (() => void) | undefined;

  /** Until nobody wants a lane. */
  const listen = async (): Promise<void> => {
    const connection = connect();
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    let pauseMs = firstPauseMs;
    while (wanted.size > 0 && !stop.signal.aborted) {
      try {
        opened = await open(connection, queuePrefix, log, heard);
        await bind(opened, wanted, queuePrefix);
        pauseMs = firstPauseMs;
        await Promise.race([opened.closed, left]);
      } catch {
        // The connection reports it, and the channel. The next try may succeed.
      }
      opened = undefined;
      if (wanted.size > 0) await Promise.race([sleep(systemClock, pauseMs, stop.signal), left]);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
    await connection.close();
  };

  const start = (): void => {
    if (listening || wanted.size === 0 || stop.signal.aborted) return;
    listening = listen().finally(() => {
      listening = undefined;
      start();
    });
  };

  return {
    follow(lanes) {
      wanted = lanes;
      if (wanted.size === 0) leave?.();
      // A failure closes the channel, and it is opened again.
      else if (opened) bind(opened, wanted, queuePrefix).catch(() => undefined);
      start();
    },
    async close() {
      stop.abort();
      wanted = new Set();
      leave?.();
      await listening;
    },
  };
};
