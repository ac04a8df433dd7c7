/** A short name for what a call asked for, so that a claim need not repeat it [protocol, What a message said]. */
import { hash } from 'node:crypto';
import type { Said } from '../ledger-change.ts';
import type { EntryId, RunLimits } from '../types.ts';

const limitNames = Object.keys({
  maxAttempts: 1,
  timeoutMs: 1,
  onInterruption: 1,
} satisfies Record<keyof RunLimits, 1>) as (keyof RunLimits)[];

/**
 * SHA-256 in base64url. The request's id is part of the input, so no two entries have the same digest. Absent and empty limits give
 * the same digest, and so do absent and zero interruptions.
 */
export const digestOf = ({ userId, seq, body, limits, interruptions, ...asked }: EntryId & Said): string => {
  const { bytesThrough, traceparent, acceptedAt } = asked;
  const ownLimits = limitNames.map((name) => limits?.[name] ?? null);
  const rest = [bytesThrough ?? null, ownLimits, interruptions || 0, traceparent ?? null, acceptedAt.getTime()];
  return hash('sha256', JSON.stringify([userId, seq, body, ...rest]), 'base64url');
};
