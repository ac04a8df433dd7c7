/** Isolated runs in real processes: how each may end, and what that means. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, jest, test } from '@jest/globals';
import type { Outcome } from '../../lib/types.ts';
import { isAlive, supportFile, until } from '../consumer/support/cluster.ts';
import { isolate } from '../consumer/support/isolate.ts';

jest.setTimeout(60_000);

const crashed = (message: string) => ({
  kind: 'failed',
  reason: 'crashed',
  error: { name: 'ProcessorCrashedError', message: expect.stringContaining(message) },
});

type Times = { pid: number; begin: number; end: number };

const pidOf = (outcome: Outcome): number => (JSON.parse((outcome as { result: string }).result) as { pid: number }).pid;

/** In a worker of its own: jest would take what a process without memory writes to stderr for its own end. */
const workerFor = (request: unknown, hangMs: number) => {
  const worker = spawn(process.execPath, [supportFile('isolating-worker.ts'), JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TEST_HANG_MS: String(hangMs) },
  });
  worker.stderr.resume();
  const line = new Promise<string>((resolve) => createInterface({ input: worker.stdout }).once('line', resolve));
  return { worker, line };
};

/** Files in which a run leaves the id of its process, once it has begun. */
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
  test('is handed all that is known of it, in a process of its own, and what it returns is its result', async () => {
    const { run, observed } = isolate();
    const [told, other] = await Promise.all([run({ end: 'tell-the-context' }), run({})]);
    expect(told).toEqual({ kind: 'done', result: '{"userId":"u1","seq":4,"attempt":3,"fencingToken":9}' });
    const { pid } = JSON.parse((other as { result: string }).result) as { pid: number };
    expect(pid).not.toBe(process.pid);
    await until('the process has ended', () => !isAlive(pid));
    expect(observed).toEqual([1, 1, -1, -1]);
  });

  test('that throws is an ordinary failure, and no crash', async () => {
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
    ['loops for ever', 'loop', 'its event loop stood still'],
    ['throws where nobody catches', 'throw-outside', 'exit code 1 (TypeError: nobody catches this)'],
  ])('whose process %s has crashed', async (_name, end, message) => {
    const { run, observed } = isolate();
    expect(await run({ end })).toMatchObject(crashed(message));
    expect(observed).toEqual([1, -2]);
  });

  test('whose process takes all memory has crashed', async () => {
    const { line } = workerFor({ end: 'memory' }, 10_000);
    expect(JSON.parse(await line)).toMatchObject(crashed('as when memory runs out'));
  });

  test('is tried again until the last crash in a row', async () => {
    expect(await isolate({ maxCrashes: 4 }).run({ end: 'exit-in-order' })).toMatchObject({
      kind: 'retry',
      crashed: true,
    });
  });

  test('that ends at its deadline has failed, and one that goes on long after it is killed and has crashed', async () => {
    const { run } = isolate();
    const limits = { timeoutMs: 100 };
    const [obedient, stubborn] = await Promise.all([
      run({ end: 'obey-the-signal' }, { limits }),
      run({ end: 'ignore-the-signal' }, { limits }),
    ]);
    expect(obedient).toMatchObject({ kind: 'retry', error: { name: 'RunTimeoutError' } });
    expect(obedient).not.toHaveProperty('crashed');
    expect(stubborn).toMatchObject(crashed('went on long after its deadline'));
  });

  test('hears that its lane was lost, and is killed after a while when it goes on; neither is a crash', async () => {
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

  test('waits while two others run, and leaves when its lane is lost', async () => {
    const { run, observed } = isolate();
    const lanes = [new AbortController(), new AbortController()] as const;
    const first = [1, 2].map(() => run({ end: 'ignore-the-signal' }, { signal: lanes[0].signal }));
    const third = run({}, { signal: lanes[1].signal });
    const fourth = run({});
    lanes[1].abort();
    await third;
    const startedBefore = [...observed];
    lanes[0].abort();
    await Promise.all(first);
    expect(await fourth).toMatchObject({ kind: 'done' });
    expect(startedBefore).toEqual([1, 1]);
    expect(observed.toSorted()).toEqual([-1, -1, -1, 1, 1, 1]);
  });

  test('leaves no process behind when its lane is lost as its turn comes', async () => {
    const { run, observed } = isolate();
    const lane = new AbortController();
    const running = [run({}, { signal: lane.signal }), run({}, { signal: lane.signal })];
    lane.abort();
    await Promise.all(running);
    expect(await run({})).toMatchObject({ kind: 'done' });
    expect(observed.toSorted()).toEqual([-1, -1, -1, 1, 1, 1]);
  });

  test('follows another in the same process, and the process ends when none is left', async () => {
    const { run } = isolate();
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => run({})));
    const pids = new Set(outcomes.map(pidOf));
    expect(pids.size).toBeLessThanOrEqual(2);
    await until('both processes have ended', () => ![...pids].some(isAlive));
  });

  test('never runs beside another in its process', async () => {
    const { run } = isolate();
    const runs = await Promise.all(Array.from({ length: 8 }, () => run({ ms: 30 })));
    const times = runs.map((outcome) => JSON.parse((outcome as { result: string }).result) as Times);
    for (const { pid, begin } of times) {
      expect(times.filter((other) => other.pid === pid && other.begin <= begin && other.end > begin)).toHaveLength(1);
    }
  });

  test('that ends its process is the only one blamed', async () => {
    const { run, observed } = isolate();
    const ends = [undefined, undefined, 'exit', undefined, 'kill', undefined, 'fail', 'loop', undefined, undefined];
    const outcomes = await Promise.all(ends.map((end) => run({ end })));
    const kinds = outcomes.map(({ kind }) => kind);
    const expected = ends.map((end) => (end === 'fail' ? 'retry' : end ? 'failed' : 'done'));
    expect(kinds).toEqual(expected);
    expect(observed.filter((what) => what === -2)).toHaveLength(3);
  });

  test('is not blamed for what an earlier one left behind in its process', async () => {
    const { run, observed } = isolate();
    const requests = [{ end: 'exit-afterwards' }, { end: 'exit-afterwards' }, { ms: 400 }, { ms: 400 }];
    const outcomes = await Promise.all(requests.map((request) => run(request)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done', 'done']);
    expect(observed).not.toContain(-2);
  });

  test('does not follow one that was told to stop, in its process', async () => {
    await using folder = await marks();
    const { run } = isolate();
    const lane = new AbortController();
    const running = ['a', 'b'].map((name) =>
      run({ end: 'obey-the-signal', mark: folder.mark(name) }, { signal: lane.signal }),
    );
    const stopped = await Promise.all([folder.marked('a'), folder.marked('b')]);
    const following = run({});
    lane.abort();
    await Promise.all(running);
    expect(stopped).not.toContain(pidOf(await following));
    await until('the stopped have ended', () => !stopped.some(isAlive));
  });

  test('does not outlive its worker, not even with an event loop that stands still', async () => {
    await using folder = await marks();
    const { worker } = workerFor({ end: 'loop', mark: folder.mark('loop') }, 60_000);
    const pid = await folder.marked('loop');
    expect(isAlive(pid)).toBe(true);
    worker.kill('SIGKILL');
    await until('the isolated process has ended', () => !isAlive(pid));
  });
});
