/** The consumer of the library: in this process, in processes of its own, and the host that it lives in. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import { createLanekeeper, type LibraryLogger } from '../../lib/index.ts';
import { eventually } from '../support/world.ts';
import { cleanUp, environmentOf, openLibrary, testOptions } from './open.ts';

jest.setTimeout(120_000);

const file = (name: string) => fileURLToPath(new URL(`support/${name}`, import.meta.url));
const module = file('processor.mjs');

const run = (name: string, args: string[] = [], env: NodeJS.ProcessEnv = process.env) =>
  promisify(execFile)(process.execPath, ['--no-warnings', file(name), ...args], { env, timeout: 90_000 });

describe('in this process', () => {
  test('close hands the lanes over while a run goes on, and another consumer takes the next request', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    const release = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const first = await lk.consume(async () => {
      begun.resolve();
      await release.promise;
      return 'first';
    });
    await lk.enqueue('ada', 1);
    await lk.enqueue('ada', 2);
    await begun.promise;
    const closed = first.close();
    await lk.consume(() => 'second');
    release.resolve();
    await closed;
    expect(await lk.result('ada', 1)).toMatchObject({ result: 'first', attempts: 1 });
    expect(await lk.result('ada', 2)).toMatchObject({ result: 'second' });
  });

  test('a run that goes on is aborted after graceMs, and its request is not lost', async () => {
    await using library = await openLibrary({ graceMs: 100 });
    const { lk } = library;
    const begun = Promise.withResolvers<void>();
    const first = await lk.consume(
      (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          begun.resolve();
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    const { seq } = await lk.enqueue('ada', 1);
    await begun.promise;
    await first.close();
    await lk.consume(() => 'again');
    expect(await lk.result('ada', seq)).toMatchObject({ status: 'done', result: 'again' });
  });

  test('a run that ignores its signal keeps its user to itself after close', async () => {
    await using library = await openLibrary({ graceMs: 50 });
    const { lk, options } = library;
    const release = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<void>();
    const other = await createLanekeeper(options);
    const first = await other.consume(() => {
      begun.resolve();
      return release.promise;
    });
    await lk.enqueue('ada', 1);
    await begun.promise;
    const closed = first.close().then(() => 'closed');
    const elsewhere: unknown[] = [];
    await lk.consume((request) => elsewhere.push(request));
    await other.close();
    await lk.enqueue('bea', 2);
    await lk.result('bea', 1);
    expect(await Promise.race([closed, sleep(2_500, 'open')])).toBe('open');
    expect(elsewhere).toEqual([2]);
    release.resolve('first');
    expect(await lk.result('ada', 1)).toMatchObject({ result: 'first', attempts: 1 });
    await closed;
  });

  test('a function has a policy, metrics, and log lines in the logger of the caller', async () => {
    const lines: [object, string?][] = [];
    const write = (fields: object, message?: string) => void lines.push([fields, message]);
    const logger: LibraryLogger = { error: write, warn: write, info: write, debug: write };
    await using library = await openLibrary({ logger });
    const { lk } = library;
    const policy = { maxAttempts: 2, retryBaseMs: 1 };
    const consumer = await lk.consume(() => Promise.reject(new Error('no luck')), { policy });
    const { seq } = await lk.enqueue('ada', 1);
    expect(await lk.result('ada', seq)).toMatchObject({ status: 'failed', attempts: 2, error: { message: 'no luck' } });
    expect(await consumer.metrics()).toContain('lanekeeper_retries_total 1');
    const about = {
      user: 'ada',
      seq,
      attempt: 2,
      err: expect.objectContaining({ message: 'no luck', stack: expect.any(String) }),
    };
    expect(lines).toContainEqual([expect.objectContaining(about), expect.any(String)]);
    await expect(lk.consume(() => 1, { policy: { maxAttempts: 0 } })).rejects.toMatchObject({ code: 'bad-config' });
    await expect(lk.consume(() => 1, { workers: 2 })).rejects.toThrow('need a module');
    await expect(lk.consume('./no-such-file.mjs')).rejects.toMatchObject({ code: 'bad-processor' });
    await expect(lk.consume(() => 1, { metricsPort: 9100 })).rejects.toThrow('processes of their own serve');
  });
});

describe('processes', () => {
  test('run a module, survive its crash, and end with the library', async () => {
    await using library = await openLibrary();
    const { lk } = library;
    const consumer = await lk.consume(module, { workers: 1 });
    const { seq } = await lk.enqueue('ada', 'crash');
    const { result, attempts } = await lk.result('ada', seq, { waitMs: 90_000 });
    expect(result).toMatchObject({ user: 'ada', seq: 1 });
    expect(attempts).toBe(3);
    expect((result as { pid: number }).pid).not.toBe(process.pid);
    await consumer.close();
  });

  test('log and print where they should, and drain although their group got a signal as well', async () => {
    const lines: [object, string?][] = [];
    const write = (fields: object, message?: string) => void lines.push([fields, message]);
    const logger: LibraryLogger = { error: write, warn: write, info: write, debug: write };
    await using library = await openLibrary({ logger });
    const { lk } = library;
    const consumer = await lk.consume(module, { workers: 1 });
    await lk.enqueue('bea', 'fail');
    await lk.result('bea', 1);
    await eventually('the failed run is logged with its error', async () =>
      lines.some(([fields]) => (fields as { err?: { stack?: string } }).err?.stack?.includes('no luck')),
    );
    await lk.enqueue('ada', 'slow');
    await eventually('it runs', async () => (await lk.request('ada', 1)).status === 'processing');
    const started = lines.map(([fields]) => fields as { role?: string; pid?: number });
    const primary = started.find(({ role }) => role === 'primary')?.pid;
    process.kill(primary ?? 0, 'SIGINT');
    await sleep(500);
    await consumer.close();
    expect(await lk.result('ada', 1)).toMatchObject({ status: 'done', attempts: 1 });
    expect(await Promise.race([consumer.failed, 'closed'])).toBe('closed');
  });

  test('a module that cannot be loaded keeps the consumer from starting', async () => {
    await using library = await openLibrary();
    await expect(library.lk.consume('./no-such-file.mjs', { workers: 1 })).rejects.toMatchObject({
      code: 'consumer-failed',
    });
  });
});

describe('the host', () => {
  test('enqueues for its own user with one import and one call', async () => {
    const options = testOptions();
    const { stdout, stderr } = await run('one-call.mjs', [], environmentOf(options));
    expect([stdout, stderr]).toEqual(['{"seq":1,"status":"queued","position":1}\n', '']);
    await cleanUp(options);
  });

  test('ends by itself after close, and nothing is on its stdout but its own lines', async () => {
    const { logger: _, ...options } = testOptions();
    const { stdout } = await run('consuming-host.ts', [JSON.stringify(options)]);
    expect(stdout).toBe('{"got":17}\n');
    await cleanUp({ ...options, logger: false });
  });

  test('is not ended by a function more often than maxCrashes, then the request is a dead letter', async () => {
    const { logger: _, ...options } = testOptions({ maxCrashes: 3 });
    await using lk = await createLanekeeper({ ...options, logger: false });
    await lk.enqueue('crash', 'crash');
    const ends: (number | string)[] = [];
    await eventually(
      'a host that survives',
      async () => {
        const ended = await run('crashing-host.ts', [JSON.stringify(options)]).catch((error) => error);
        ends.push(ended.code ?? ended.stdout);
        return ended.code === undefined;
      },
      110_000,
    );
    expect(ends).toEqual([7, 7, 7, 'crashed\n']);
    await lk.close();
    await cleanUp({ ...options, logger: false });
  });
});
