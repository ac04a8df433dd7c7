/** Dead letters as operators see them, and the cursors that lead to the next page and to the next decisions. */
import { z } from 'zod';
import type { DeadLetterCursor } from '../ports.ts';
import { cursorOf, type DeadLetterPage, type ListedDeadLetter } from '../requests/dead-letters.ts';
import type { DecisionCursor } from '../requests/decide-many.ts';
import { readParts, textOfParts } from './cursor-text.ts';
import { pageText } from './page-text.ts';

const cursor = z.tuple([z.int().min(0).max(8.64e15), z.string().min(1), z.int().min(1)]);

/** Clients must not look inside: the format may change. */
export const cursorText = ({ at, userId, seq }: DeadLetterCursor): string => textOfParts([at.getTime(), userId, seq]);

/** Returns `undefined` for text that `cursorText` did not make. */
export const readCursor = (text: string): DeadLetterCursor | undefined => {
  const [at, userId, seq] = readParts(cursor, text) ?? [];
  return at === undefined || userId === undefined || seq === undefined ? undefined : { at: new Date(at), userId, seq };
};

const decisionCursor = z.tuple([z.string().min(1), z.int().min(0), z.int().min(0), z.int().min(0)]);

/** Clients must not look inside. 0: nothing was refused. */
export const decisionCursorText = ({ userId, seq, through, refused = 0 }: DecisionCursor): string =>
  textOfParts([userId, seq, through, refused]);

/** Returns `undefined` for text that `decisionCursorText` did not make. */
export const readDecisionCursor = (text: string): DecisionCursor | undefined => {
  const [userId, seq, through, refused] = readParts(decisionCursor, text) ?? [];
  if (userId === undefined || seq === undefined || through === undefined) return undefined;
  return { userId, seq, through, refused: refused || undefined };
};

/** JSON text, because the request is shown exactly as it was sent. */
const letterJson = (letter: ListedDeadLetter): string => {
  const { userId, user, seq, status, attempts, limits, error, retryOf, acceptedAt, body } = letter;
  const { reason, at } = letter.deadLetter;
  const state = { userId, user, seq, status, reason, attempts, ...limits, error, at, acceptedAt, retryOf };
  return `${JSON.stringify(state).slice(0, -1)},"request":${body ?? 'null'}}`;
};

export const deadLettersJson = ({ letters, searched }: DeadLetterPage, limit: number): string => {
  const nextAfter = (last: number) => {
    const letter = letters[last];
    return letter && cursorText(cursorOf(letter));
  };
  return pageText('deadLetters', letters.map(letterJson), limit, nextAfter, searched && cursorText(searched));
};
