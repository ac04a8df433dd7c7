/** Dead letters as operators see them, and the cursor that leads to the next page. */
import { z } from 'zod';
import type { DeadLetterCursor } from '../ports.ts';
import { cursorOf, type ListedDeadLetter } from '../requests/dead-letters.ts';
import { pageText } from './page-text.ts';

const cursor = z.tuple([z.int().min(0).max(8.64e15), z.string().min(1), z.int().min(1)]);

/** Clients must not look inside: the format may change. */
export const cursorText = ({ at, userId, seq }: DeadLetterCursor): string =>
  Buffer.from(JSON.stringify([at.getTime(), userId, seq])).toString('base64url');

/** Returns `undefined` for text that `cursorText` did not make. */
export const readCursor = (text: string): DeadLetterCursor | undefined => {
  try {
    const [at, userId, seq] = cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return { at: new Date(at), userId, seq };
  } catch {
    return undefined;
  }
};

/** JSON text, because the request is shown exactly as it was sent. */
const letterJson = (letter: ListedDeadLetter): string => {
  const { userId, username, seq, status, attempts, limits, error, retryOf, acceptedAt, body } = letter;
  const { reason, at } = letter.deadLetter;
  const state = { userId, username, seq, status, reason, attempts, ...limits, error, at, acceptedAt, retryOf };
  return `${JSON.stringify(state).slice(0, -1)},"request":${body ?? 'null'}}`;
};

export const deadLettersJson = (letters: ListedDeadLetter[], limit: number): string =>
  pageText('deadLetters', letters.map(letterJson), limit, (last) => {
    const letter = letters[last];
    return letter && cursorText(cursorOf(letter));
  });
