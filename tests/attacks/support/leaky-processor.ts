/** A processor that fails in the ways that show what clients must not see. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Processor, type ProcessorPolicy, RetryAfterError, UnrecoverableError } from '../../../lib/processor.ts';

const url = 'mongodb://app:hunter2@db.internal:27017/shop';
const missingFile = () => readFile('/etc/secret/app/config-prod.json');

const failures: Record<string, (signal: AbortSignal) => unknown> = {
  file: missingFile,
  url: () => {
    throw new TypeError(`cannot connect to ${url}`);
  },
  name: () => {
    throw Object.assign(new Error('no'), { name: url });
  },
  object: () => {
    throw { name: 'hunter2', password: 'hunter2' };
  },
  'own-cause': async () => {
    throw new UnrecoverableError('the price list is missing', { cause: await missingFile().catch((error) => error) });
  },
  pause: () => {
    throw new RetryAfterError('the bank is closed', { retryAfterMs: 1 });
  },
  marked: () => {
    throw Object.assign(new RangeError('at most 5'), { expose: true });
  },
  unmarked: () => {
    throw Object.assign(new UnrecoverableError(url), { expose: false });
  },
  result: () => ({
    toJSON() {
      throw new Error(url);
    },
  }),
  slow: (signal) => once(signal, 'abort'),
};

export const policy: ProcessorPolicy = { maxAttempts: 1, timeoutMs: 1_000, onFailure: 'block' };

export default ((request, { signal }) => failures[String(request)]?.(signal)) satisfies Processor;
