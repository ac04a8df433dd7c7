/** The messages in RabbitMQ's queues, read from what arrives. */
import type { ConsumeMessage } from 'amqplib';
import type { RequestMessage, RunLimits } from '../types.ts';

/** The `type` property of a message in a lane. */
export const laneMessage = { wake: 'wake', baton: 'baton' } as const;

export const isBaton = (message: ConsumeMessage): boolean => message.properties.type === laneMessage.baton;

/** `undefined`: not JSON, or not an object or array. */
const contentOf = (message: ConsumeMessage): Record<string, unknown> | undefined => {
  try {
    const content: unknown = JSON.parse(message.content.toString('utf8'));
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

/** The user id of a wake; `undefined` for a message that is not a wake of ours. */
export const wakeOf = (message: ConsumeMessage): string | undefined => {
  const userId = contentOf(message)?.userId;
  return typeof userId === 'string' ? userId : undefined;
};

/** `undefined` for a message that is not a request of ours. */
export const requestOf = (message: ConsumeMessage): RequestMessage | undefined => {
  const { seq, body, bytesThrough, acceptedAt, limits, interruptions } = contentOf(message) ?? {};
  if (!Number.isSafeInteger(seq) || typeof body !== 'string' || typeof acceptedAt !== 'number') return undefined;
  return {
    seq: seq as number,
    body,
    bytesThrough: bytesThrough as number | undefined,
    acceptedAt,
    limits: limits as RunLimits | undefined,
    interruptions: interruptions as number | undefined,
  };
};
