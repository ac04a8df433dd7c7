/**
 * The messages in RabbitMQ's queues, read from what arrives. What a message says goes into queries that carry the work of many users,
 * and one value that MongoDB or its driver refuses fails them all. So a message is taken for foreign unless every value is one that
 * Lanekeeper sends.
 */
import type { ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import { attemptsRange, maxMessageBodyBytes, runTimeoutRange } from '../limits.ts';
import { readTraceparent, traceparentHeader } from '../traceparent.ts';
import { interruptionPolicies, type RequestMessage } from '../types.ts';

/** The `type` property of a message in a lane. */
export const laneMessage = { wake: 'wake', baton: 'baton' } as const;

export const isBaton = (message: ConsumeMessage): boolean => message.properties.type === laneMessage.baton;

/** A body of JSON text gets longer inside JSON: at most to six times its bytes. There is room for the other fields. */
const maxContentBytes = 8 * maxMessageBodyBytes;

/** The last time that a `Date` can say. */
const maxTime = 8.64e15;

const count = z.int().min(0);

const request = z.object({
  seq: z.int().min(1),
  body: z.string().refine((body) => Buffer.byteLength(body) <= maxMessageBodyBytes),
  bytesThrough: count.optional(),
  acceptedAt: z.int().min(0).max(maxTime),
  limits: z
    .strictObject({
      maxAttempts: z.int().min(attemptsRange.min).max(attemptsRange.max).optional(),
      timeoutMs: z.int().min(runTimeoutRange.min).max(runTimeoutRange.max).optional(),
      onInterruption: z.enum(interruptionPolicies).optional(),
    })
    .optional(),
  interruptions: count.optional(),
}) satisfies z.ZodType<Omit<RequestMessage, 'traceparent'>>;

const wake = z.object({ userId: z.string().min(1).max(64) });

/** `undefined`: too large for a message of ours, or not JSON. */
const contentOf = ({ content }: ConsumeMessage): unknown => {
  if (content.length > maxContentBytes) return undefined;
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** The user id of a wake; `undefined` for a message that is not a wake of ours. */
export const wakeOf = (message: ConsumeMessage): string | undefined => wake.safeParse(contentOf(message)).data?.userId;

/**
 * `undefined` for a message that is not a request of ours. A `traceparent` that is none makes no message foreign: instrumentation of
 * AMQP may write that header too.
 */
export const requestOf = (message: ConsumeMessage): RequestMessage | undefined => {
  const { data } = request.safeParse(contentOf(message));
  const traceparent = readTraceparent(message.properties.headers?.[traceparentHeader]);
  return data && (traceparent === undefined ? data : { ...data, traceparent });
};
