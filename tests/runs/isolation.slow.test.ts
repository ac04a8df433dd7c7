/** Isolated runs in real processes: how they end, and what that means. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, jest, test } from '@jest/globals';
import type { Outcome } from '../../lib/types.ts';
import { isAlive, until } from '../consumer/support/cluster.ts';
import { isolate } from './support/isolate.ts';
import { runsSupportFile } from './support/support-file.ts';

jest.setTimeout(60_000);

const crashed = (message: string) => ({
  kind: 'failed',
  reason: 'crashed',
  error: { name: 'ProcessorCrashedError', message: expect.stringContaining(message) },
});

type Times = { pid: number; begin: number; end: number };

const pidOf = (outcome: Outcome): number => (JSON.parse((outcome as { result: string }).result) as { pid: number }).pid;

/** In a worker of its own: a process that is out of memory writes to stderr, and jest would take that for its own end. */
const workerFor = (request: unknown, hangMs: number) => {
  const worker = spawn(process.execPath, [runsSupportFile('isolating-worker.ts'), JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TEST_HANG_MS: String(hangMs) },
  });
  worker.stderr.resume();
  const line = new Promise<string>((resolve) => createInterface({ input: worker.stdout }).once('line', resolve));
  return { worker, line };
};

/** Files in which a run writes the id of its process when it begins. */
const marks = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lanekeeper-'));
  const mark = (name: string) => join(folder, name);
  return {
    mark,
    async marked(name: string): Promise<number> {
      const read = async () => Number(await readFile(mark(name), 'utf8').catch(() => 0));
      await until(`the run of ${name} has begun`, async () => (await read()) > 0);
      return read();
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
};

describe('an isolated run', () => {
  test('gets its context in a process of its own, and its return value is the result', async () => {
    const { run, observed } = isolate();
    const [context, other] = await Promise.all([run({ end: 'return-the-context' }), run({})]);
    expect(context).toEqual({ kind: 'done', result: '{"userId":"u1","seq":4,"attempt":3,"fencingToken":9}' });
    const { pid } = JSON.parse((other as { result: string }).result) as { pid: number };
    expect(pid).not.toBe(process.pid);
    await until('the process has ended', () => !isAlive(pid));
    expect(observed).toEqual([1, 1, -1, -1]);
  });

  test('that throws has failed, and has not crashed', async () => {
    const { run, observed } = isolate();
    expect(await run({ end: 'fail' })).toEqual({
      kind: 'retry',
      delayMs: expect.any(Number),
      error: { name: 'Error', message: 'an ordinary failure' },
    });
    expect(observed).toEqual([1, -1]);
  });

  test.each([
    ['exits', 'exit', 'ended with exit code 3'],
    ['is killed', 'kill', 'was ended by SIGKILL'],
    ['loops for ever', 'loop', 'its event loop hung'],
    ['throws where nobody catches', 'throw-outside', 'exit code 1'],
  ])('whose process %s has crashed', async (_name, end, message) => {
    const { run, observed } = isolate();
    expect(await run({ end })).toMatchObject(crashed(message));
    expect(observed).toEqual([1, -2]);
  });

  test('that leaves a rejected promise unhandled goes on, and so do the runs beside it', async () => {
    const { run, observed } = isolate();
    const outcomes = await Promise.all([run({ end: 'reject-unhandled' }), run({ ms: 300 })]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done']);
    expect(observed.toSorted()).toEqual([-1, -1, 0, 0, 0, 1, 1]);
  });

  test('whose process runs out of memory has crashed', async () => {
    const { line } = workerFor({ end: 'memory' }, 10_000);
    expect(JSON.parse(await line)).toMatchObject(crashed('probably out of memory'));
  });

  test('is repeated until the last crash in a row', async () => {
    expect(await isolate({ maxCrashes: 4 }).run({ end: 'exit-in-order' })).toMatchObject({
      kind: 'retry',
      crashed: true,
    });
  });

  test('that ends at its deadline has failed; one that goes on long past it is killed and has crashed', async () => {
    const { run } = isolate();
    const limits = { timeoutMs: 100 };
    const [obedient, stubborn] = await Promise.all([
      run({ end: 'obey-the-signal' }, { limits }),
      run({ end: 'ignore-the-signal' }, { limits }),
    ]);
    expect(obedient).toMatchObject({ kind: 'retry', error: { name: 'RunTimeoutError' } });
    expect(obedient).not.toHaveProperty('crashed');
    expect(stubborn).toMatchObject(crashed('went on long past its deadline'));
  });

  test('is aborted when its lane is lost, and killed if it goes on; neither is a crash', async () => {
    await using folder = await marks();
    const { run, observed } = isolate();
    const lane = new AbortController();
    const running = ['obey-the-signal', 'ignore-the-signal'].map((end) =>
      run({ end, mark: folder.mark(end) }, { signal: lane.signal }),
    );
    await Promise.all([folder.marked('obey-the-signal'), folder.marked('ignore-the-signal')]);
    lane.abort();
    const [obedient] = await Promise.all(running);
    expect(obedient).toMatchObject({ error: { name: 'AbortError' } });
    expect(observed).toEqual([1, 1, -1, -1]);
  });

  test('that must be alone waits for a process, and stops waiting when its lane is lost', async () => {
    const { run, observed } = isolate({ isolatedProcesses: 2 }, { onInterruption: 'dead-letter' });
    const lanes = [new AbortController(), new AbortController()] as const;
    const first = run({ end: 'ignore-the-signal' }, { signal: lanes[0].signal });
    const second = run({}, { signal: lanes[1].signal });
    const third = run({});
    lanes[1].abort();
    await second;
    const startedBefore = [...observed];
    lanes[0].abort();
    await first;
    expect(await third).toMatchObject({ kind: 'done' });
    expect(startedBefore).toEqual([1]);
    expect(observed.toSorted()).toEqual([-1, -1, 1, 1]);
  });

  test('leaves no process behind when its lane is lost just as it begins', async () => {
    const { run, observed } = isolate();
    const lane = new AbortController();
    const running = [run({}, { signal: lane.signal }), run({}, { signal: lane.signal })];
    lane.abort();
    await Promise.all(running);
    expect(await run({})).toMatchObject({ kind: 'done' });
    expect(observed.toSorted()).toEqual([-1, -1, -1, 1, 1, 1]);
  });

  test('reuses the process of the run before it, and the process ends after the last run', async () => {
    const { run } = isolate();
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => run({})));
    const pids = new Set(outcomes.map(pidOf));
    expect(pids.size).toBeLessThanOrEqual(2);
    await until('both processes have ended', () => ![...pids].some(isAlive));
  });

  test('never runs beside another in its process when it must not run twice', async () => {
    const { run } = isolate({}, { onInterruption: 'dead-letter' });
    const runs = await Promise.all(Array.from({ length: 8 }, () => run({ ms: 30 })));
    expect(new Set(runs.map(pidOf)).size).toBe(8);
  });

  test('does not wait for others: as many as a crash interrupts run at once, in half of the processes', async () => {
    const { run } = isolate();
    const runs = await Promise.all(Array.from({ length: 30 }, (_, seq) => run({ ms: 1_500 }, { seq })));
    const times = runs.map((outcome) => JSON.parse((outcome as { result: string }).result) as Times);
    expect(new Set(times.map(({ pid }) => pid)).size).toBe(2);
    expect(Math.max(...times.map(({ begin }) => begin))).toBeLessThan(Math.min(...times.map(({ end }) => end)));
  });

  test('that ends its process is the only one that has crashed', async () => {
    const { run, observed } = isolate();
    const ends = [undefined, undefined, 'exit', undefined, 'kill', undefined, 'fail', 'loop', undefined, undefined];
    const outcomes = await Promise.all(ends.map((end, seq) => run({ end, ms: 300 }, { seq })));
    const kinds = outcomes.map(({ kind }) => kind);
    const expected = ends.map((end) => (end === 'fail' ? 'retry' : end ? 'failed' : 'done'));
    expect(kinds).toEqual(expected);
    expect(observed.filter((what) => what === -2)).toHaveLength(3);
  });

  test('that ended a process of its own is not beside others in its next attempt', async () => {
    const { run, observed } = isolate({ maxCrashes: 9, isolatedProcesses: 2 });
    const killer = { seq: 1, interruptions: 2 };
    expect(await run({ end: 'exit' }, killer)).toMatchObject({ kind: 'retry', crashed: true });
    observed.length = 0;
    const others = [2, 3, 4].map((seq) => run({ ms: 1_000 }, { seq }));
    expect(await run({ end: 'exit' }, { ...killer, interruptions: 3 })).toMatchObject({ kind: 'retry', crashed: true });
    expect((await Promise.all(others)).map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    expect(observed.toSorted()).toEqual([-1, -1, -1, -2, 1, 1, 1, 1].toSorted());
  });

  test('that must not run twice has crashed finally with its first crash, and was run once', async () => {
    await using folder = await marks();
    const { run, observed } = isolate({ maxCrashes: 9 });
    const limits = { onInterruption: 'dead-letter' } as const;
    expect(await run({ end: 'exit', mark: folder.mark('once') }, { limits })).toMatchObject(crashed('exit code 3'));
    expect(observed).toEqual([1, -2]);
  });

  test('that hangs without a timeout ends after ISOLATED_RUN_TIMEOUT_MS', async () => {
    const { run } = isolate({ isolatedRunTimeoutMs: 100 });
    const [obedient, stubborn] = await Promise.all([
      run({ end: 'obey-the-signal' }, { seq: 1 }),
      run({ end: 'ignore-the-signal' }, { seq: 2 }),
    ]);
    expect(obedient).toMatchObject({ kind: 'retry', error: { name: 'RunTimeoutError' } });
    expect(stubborn).toMatchObject(crashed('went on long past its deadline'));
  });

  test('that hangs interrupts no other run in its process, and keeps nobody waiting', async () => {
    await using folder = await marks();
    const { run, observed } = isolate({ isolatedProcesses: 2 });
    const hung = [1, 2].map((seq) => run({ end: 'ignore-the-signal' }, { seq, limits: { timeoutMs: 100 } }));
    const slow = run({ mark: folder.mark('slow'), until: folder.mark('end') }, { seq: 3 });
    const pid = await folder.marked('slow');
    expect(await run({ ms: 1 }, { seq: 4 })).toMatchObject({ kind: 'done' });
    // As soon as the process of the hung runs waits for the slow run alone, others get a new one.
    await until('a run is in another process', async () => pidOf(await run({}, { seq: 5 })) !== pid);
    expect([isAlive(pid), observed.includes(-2)]).toEqual([true, false]);
    await writeFile(folder.mark('end'), '');
    expect(await slow).toMatchObject({ kind: 'done' });
    for (const end of hung) expect(await end).toMatchObject(crashed('went on long past its deadline'));
  });

  test('has not crashed when its process ends because of what an earlier run left behind', async () => {
    const { run, observed } = isolate();
    const requests = [{ end: 'exit-afterwards' }, { end: 'exit-afterwards' }, { ms: 400 }, { ms: 400 }];
    const outcomes = await Promise.all(requests.map((request) => run(request)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done', 'done']);
    expect(observed).not.toContain(-2);
  });

  test('does not reuse the process of an aborted run', async () => {
    await using folder = await marks();
    const { run } = isolate();
    const lane = new AbortController();
    const running = ['a', 'b'].map((name) =>
      run({ end: 'obey-the-signal', mark: folder.mark(name) }, { signal: lane.signal }),
    );
    const stopped = await Promise.all([folder.marked('a'), folder.marked('b')]);
    lane.abort();
    await Promise.all(running);
    expect(stopped).not.toContain(pidOf(await run({})));
    await until('the aborted processes have ended', () => !stopped.some(isAlive));
  });

  test('does not outlive its worker, not even when its event loop hangs', async () => {
    await using folder = await marks();
    const { worker } = workerFor({ end: 'loop', mark: folder.mark('loop') }, 60_000);
    const pid = await folder.marked('loop');
    expect(isAlive(pid)).toBe(true);
    worker.kill('SIGKILL');
    await until('the isolated process has ended', () => !isAlive(pid));
  });
});
