import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { createDeviceProcessor } from '../../examples/device-commands/processor.ts';
import { openSimulatedGateway } from '../../examples/device-commands/simulated-gateway.ts';
import { openAccounts } from '../../examples/fenced-ledger/accounts.ts';
import { createLedgerProcessor } from '../../examples/fenced-ledger/processor.ts';
import { createLogger } from '../../lib/log.ts';
import type { ProcessorContext } from '../../lib/processor.ts';

const context = (more: Partial<ProcessorContext> = {}): ProcessorContext => ({
  userId: 'alice',
  user: 'alice',
  seq: 1,
  attempt: 1,
  fencingToken: 7,
  signal: new AbortController().signal,
  logger: createLogger('silent'),
  ...more,
});

const runDemo = (name: string) => promisify(execFile)(process.execPath, [`examples/${name}/demo.ts`]);

/** Two workers' connections to one file, as in two processes. */
const openShared = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lanekeeper-accounts-'));
  const [one, other] = [openAccounts(join(folder, 'a.sqlite')), openAccounts(join(folder, 'a.sqlite'))];
  return {
    one,
    other,
    [Symbol.asyncDispose]: async () => {
      one.close();
      other.close();
      await rm(folder, { recursive: true });
    },
  };
};

describe('the fenced ledger', () => {
  test('refuses a writer after a higher fencing token has written, and keeps the balance', async () => {
    await using accounts = await openShared();
    const wake = Promise.withResolvers<void>();
    const stale = createLedgerProcessor(accounts.one, () => wake.promise);
    const newest = createLedgerProcessor(accounts.other);
    const late = stale({ deposit: 10 }, context({ fencingToken: 7 }));
    expect(await newest({ deposit: 10 }, context({ attempt: 2, fencingToken: 8 }))).toEqual({ balance: 10 });
    wake.resolve();
    await expect(late).rejects.toMatchObject({ name: 'StaleWriterError' });
    expect(accounts.one.balance('alice')).toBe(10);
  });

  test('refuses an earlier attempt even when that has written already', async () => {
    await using accounts = await openShared();
    const apply = (seq: number, fencingToken: number) =>
      accounts.one.apply({ userId: 'alice', seq, fencingToken }, (balance) => balance + 1);
    expect(apply(1, 7)).toBe(1);
    expect(apply(1, 8)).toBe(1);
    expect(() => apply(2, 7)).toThrow('Fencing token 7 of alice is stale');
    expect(apply(2, 8)).toBe(2);
  });

  test('applies a request once and returns the first result to a repeated run', async () => {
    await using accounts = await openShared();
    const processor = createLedgerProcessor(accounts.one);
    await processor({ deposit: 100 }, context({ seq: 1 }));
    await processor({ withdraw: 30 }, context({ seq: 2 }));
    expect(await processor({ deposit: 100 }, context({ seq: 1, attempt: 2 }))).toEqual({ balance: 100 });
    expect(accounts.one.balance('alice')).toBe(70);
  });

  test('does not compare the tokens of different users', async () => {
    await using accounts = await openShared();
    const processor = createLedgerProcessor(accounts.one);
    await processor({ deposit: 1 }, context({ userId: 'bob', fencingToken: 50 }));
    expect(await processor({ deposit: 2 }, context({ fencingToken: 7 }))).toEqual({ balance: 2 });
  });

  test.each([[{ withdraw: 1 }], [{ deposit: 'x' }], [{}], [null], ['text']])(
    'fails finally for %j',
    async (request) => {
      await using accounts = await openShared();
      const run = createLedgerProcessor(accounts.one)(request, context());
      await expect(run).rejects.toMatchObject({ name: 'UnrecoverableError' });
    },
  );

  test('runs its demo', async () => {
    const { stdout } = await runDemo('fenced-ledger');
    expect(stdout).toContain('Refused: Fencing token 7 of alice is stale: 8 has written.');
    expect(stdout).toContain('The balance is 75');
  });
});

describe('device commands', () => {
  test('end with the state that the device reports', async () => {
    await using gateway = await openSimulatedGateway();
    const processor = createDeviceProcessor(gateway.address);
    expect(await processor({ device: 'lamp', command: 'dim' }, context())).toEqual({ device: 'lamp', state: 'dimmed' });
  });

  test('carry the same id in every attempt, so that the device obeys only once', async () => {
    await using gateway = await openSimulatedGateway();
    const processor = createDeviceProcessor(gateway.address);
    const request = { device: 'lamp', command: 'dim' };
    await processor(request, context({ seq: 3 }));
    await processor(request, context({ seq: 3, attempt: 2 }));
    expect(gateway.obeyed).toEqual([{ id: 'alice:3', ...request }]);
  });

  test('can be retried when the device is busy or the gateway is down', async () => {
    const gateway = await openSimulatedGateway();
    const processor = createDeviceProcessor(gateway.address);
    const request = { device: 'lamp', command: 'dim' };
    gateway.beBusy(1);
    await expect(processor(request, context())).rejects.toMatchObject({ name: 'Error', message: 'lamp is busy' });
    await gateway[Symbol.asyncDispose]();
    await expect(processor(request, context())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.each([
    [{ device: 'lamp', command: 'explode' }, 'unknown-command'],
    [{ device: 'door', command: 'dim' }, 'unknown-device'],
    [{ device: 'lamp' }, 'Send'],
  ])('fail finally for %j', async (request, reason) => {
    await using gateway = await openSimulatedGateway();
    const run = createDeviceProcessor(gateway.address)(request, context());
    await expect(run).rejects.toMatchObject({ name: 'UnrecoverableError', message: expect.stringContaining(reason) });
  });

  test('end without an answer as soon as the signal aborts', async () => {
    await using gateway = await openSimulatedGateway();
    gateway.freeze();
    const stop = new AbortController();
    const run = createDeviceProcessor(gateway.address)(
      { device: 'lamp', command: 'dim' },
      context({ signal: stop.signal }),
    );
    const reason = new Error('the lane is lost');
    stop.abort(reason);
    await expect(run).rejects.toBe(reason);
  });

  test('run their demo', async () => {
    const { stdout } = await runDemo('device-commands');
    expect(stdout).toContain('request 1 (switch-on), attempt 3: done');
    expect(stdout).toContain('request 2 (explode), attempt 1: failed');
    expect(stdout).toContain('The lamp obeyed, in order: switch-on, dim, switch-off.');
  });
});
