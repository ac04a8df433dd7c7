import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';

/** Names this checkout where a server is shared with others: the same at every start, different in another folder. */
export const checkoutId = (root: string): string =>
  createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 8);

/** A URL without its password, for logs and for `/health`. */
export const withoutPassword = (url: string): string => url.replace(/(\/\/[^:/@]*):[^@/]*@/, '$1:***@');
