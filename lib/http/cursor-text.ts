/** Cursors as clients get them: text that they must not look inside, because the format may change. */
import type { z } from 'zod';

export const textOfParts = (parts: unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

/** Returns `undefined` for text that `textOfParts` did not make of such parts. */
export const readParts = <T>(schema: z.ZodType<T>, text: string): T | undefined => {
  try {
    return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return undefined;
  }
};
