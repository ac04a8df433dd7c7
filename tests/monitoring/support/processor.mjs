/** Every fifth request fails for good, and every third in its first attempt. */
import { setTimeout as sleep } from 'node:timers/promises';

export const policy = { maxAttempts: 2, retryBaseMs: 50, retryMaxMs: 50 };

export default async (request, { seq, attempt }) => {
  if (seq % 5 === 0) throw Object.assign(new Error('for good'), { name: 'UnrecoverableError' });
  if (seq % 3 === 0 && attempt === 1) throw new Error('once');
  await sleep(20);
  return request;
};
