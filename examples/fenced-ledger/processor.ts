import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Processor, UnrecoverableError } from 'lanekeeper';
import { type Accounts, openAccounts } from './accounts.ts';

export type Transfer = { deposit: number } | { withdraw: number };

const amountOf = (request: unknown): number => {
  const { deposit = 0, withdraw = 0 } = (request ?? {}) as { deposit?: unknown; withdraw?: unknown };
  const amount = Number(deposit) - Number(withdraw);
  // Another attempt cannot fix a malformed request.
  if (!Number.isSafeInteger(amount) || amount === 0) {
    throw new UnrecoverableError('Send { "deposit": cents } or { "withdraw": cents }');
  }
  return amount;
};

/** @param review stands for slow work before the write, during which the worker may lose its user. */
export const createLedgerProcessor = (accounts: Accounts, review: () => Promise<void> = async () => {}): Processor => {
  return async (request, { userId, seq, fencingToken }) => {
    const amount = amountOf(request);
    await review();
    const balance = accounts.apply({ userId, seq, fencingToken }, (before) => {
      if (before + amount < 0) throw new UnrecoverableError(`The balance of ${before} is too small`);
      return before + amount;
    });
    return { balance };
  };
};

const openDefault = (): Accounts => {
  const file = process.env.ACCOUNTS_FILE ?? '.data/accounts.sqlite';
  mkdirSync(dirname(file), { recursive: true });
  return openAccounts(file);
};

let opened: Accounts | undefined;

/** For `PROCESSOR=examples/fenced-ledger/processor.ts`. It opens the file at the first request. */
const processor: Processor = (request, context) => {
  opened ??= openDefault();
  return createLedgerProcessor(opened)(request, context);
};
export default processor;
