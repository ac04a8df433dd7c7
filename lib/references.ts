/** Users that a back end names by a reference of its own: no account, no login (docs/decisions/0033-a-user-is-a-reference.md). */
import { createHash } from 'node:crypto';
import { AppError } from './errors.ts';
import type { Session } from './sessions.ts';

/** In code points. */
export const maxReferenceLength = 128;

/** Nobody sees these in a list or a log: control and format characters, halves of surrogate pairs, line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** As a part of a URL's path they mean another folder, also when they are encoded. */
const pathSteps = ['.', '..'];

/** Thrown when a reference cannot name a user. */
export class InvalidReferenceError extends AppError {
  constructor(problem: string) {
    super(`The reference of a user must be 1 to ${maxReferenceLength} printable characters; ${problem}.`, {
      code: 'invalid-reference',
      status: 400,
    });
  }
}

const problemOf = (reference: unknown): string | undefined => {
  if (typeof reference !== 'string') return `this one is of type ${typeof reference}`;
  // No more than that is counted, however long it is.
  const length = reference.length > 2 * maxReferenceLength ? reference.length : [...reference].length;
  if (length === 0 || length > maxReferenceLength) return `this one has ${length}`;
  if (pathSteps.includes(reference)) return `"${reference}" cannot stand in the path of a URL`;
  const at = reference.search(unprintable);
  if (at >= 0) return `character ${at + 1} is none (U+${codeOf(reference, at)})`;
  return undefined;
};

const codeOf = (text: string, at: number): string =>
  (text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0');

/**
 * The user id of a reference, without a lookup: 32 hex digits. An account's id has 24, so the two never meet. References are compared as
 * they are: two that differ in case or in their Unicode normalization are two users.
 *
 * @throws {InvalidReferenceError} 400
 */
export const userIdOf = (reference: string): string => {
  const problem = problemOf(reference);
  if (problem) throw new InvalidReferenceError(problem);
  return createHash('sha256').update(`reference:${reference}`).digest('hex').slice(0, 32);
};

/** The one session of a user by reference. A ticket sets it; a disconnect ends it. */
export const permanentSession: Session = { id: 'reference', expiresAt: new Date(Date.UTC(9_999, 0)) };

/** Who asks for a ticket: a session of the user; an operator, without one; or a back end, for a user by reference. */
export type Caller =
  | { userId: string; sessionId: string | undefined; reference?: undefined }
  | { userId: string; sessionId?: undefined; reference: string };

/** A back end as the caller, for this user. @throws {InvalidReferenceError} 400 */
export const callerFor = (reference: string): Caller & { reference: string } => ({
  userId: userIdOf(reference),
  reference,
});
