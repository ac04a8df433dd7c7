/** A worker that was believed dead wakes in the middle of a withdrawal. Run: node examples/fenced-ledger/demo.ts */
import { strictEqual } from 'node:assert';
import { pino } from 'pino';
import { openAccounts } from './accounts.ts';
import { createLedgerProcessor } from './processor.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const accounts = openAccounts(':memory:');
const logger = pino({ level: 'silent' });
const signal = new AbortController().signal;
const context = (seq: number, attempt: number, fencingToken: number) => ({
  userId: 'alice',
  user: 'alice',
  seq,
  attempt,
  fencingToken,
  signal,
  logger,
});

const wake = Promise.withResolvers<void>();
const sleepyWorker = createLedgerProcessor(accounts, () => wake.promise);
const worker = createLedgerProcessor(accounts);

await worker({ deposit: 100 }, context(1, 1, 7));
say(`Worker A (fencing token 7) deposits 100 as request 1: balance ${accounts.balance('alice')}.`);

const late = Promise.resolve(sleepyWorker({ withdraw: 30 }, context(2, 1, 7)));
say('Worker A begins request 2, a withdrawal of 30, and freezes before it writes.');

await worker({ withdraw: 30 }, context(2, 2, 8));
say(`Worker B (fencing token 8) acquires the user and repeats request 2: balance ${accounts.balance('alice')}.`);
await worker({ withdraw: 30 }, context(2, 3, 8));
say(`Request 2 runs once more, as after a lost acknowledgement: the balance is still ${accounts.balance('alice')}.`);
await worker({ deposit: 5 }, context(3, 1, 8));
say(`Worker B runs request 3, a deposit of 5: balance ${accounts.balance('alice')}.`);

wake.resolve();
const refusal = await late.then(
  () => 'not refused',
  (error: Error) => error.message,
);
say(`Worker A wakes and tries to write. Refused: ${refusal}.`);
strictEqual(refusal, 'Fencing token 7 of alice is stale: 8 has written');
strictEqual(accounts.balance('alice'), 75);
say(`The balance is ${accounts.balance('alice')}: 100 - 30 + 5. Each request counted once.`);
accounts.close();
