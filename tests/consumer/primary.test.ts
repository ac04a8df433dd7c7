import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { isAlive, type LogLine, startCluster, supportFile, until } from './support/cluster.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-primary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stub = supportFile('stub-worker.ts');
const running = (line: LogLine) => line.msg === 'worker running';
const ended = (line: LogLine) => line.msg === 'worker exited';
const started = (line: LogLine) => line.msg === 'worker started';
const atMs = (line: LogLine) => Date.parse(line.time!);

const sampleOf = (text: string, name: string): number => {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  if (!line) throw new Error(`no sample ${name} in:\n${text}`);
  return Number(line.split(' ').at(-1));
};

describe('the cluster primary', () => {
  test('replaces a killed worker after a pause', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '2' });
    await cluster.logged(running, 2);
    const [victim] = cluster.workerPids();
    process.kill(victim!, 'SIGKILL');
    const successor = await cluster.logged(started, 3);
    const death = await cluster.logged(ended);
    expect(death).toMatchObject({ workerPid: victim, signal: 'SIGKILL', reason: 'died' });
    expect(successor.slot).toBe(death.slot);
    await cluster.logged(running, 3);
    const { text } = await cluster.get('/metrics');
    expect(sampleOf(text, 'lanekeeper_worker_restarts_total{reason="died"}')).toBe(1);
  });

  test('waits longer before each restart of a worker that dies at once', async () => {
    await using cluster = startCluster({ TEST_WORKER: supportFile('dying-worker.ts'), WORKERS: '1' });
    await cluster.logged(started, 4);
    const deaths = cluster.lines.filter(ended);
    const births = cluster.lines.filter(started);
    const pauses = [0, 1, 2].map((n) => atMs(births[n + 1]!) - atMs(deaths[n]!));
    expect(pauses[0]).toBeGreaterThanOrEqual(195);
    expect(pauses[1]).toBeGreaterThanOrEqual(395);
    expect(pauses[2]).toBeGreaterThanOrEqual(795);
    expect((await cluster.get('/healthz')).status).toBe(503);
  });

  test('retries when the system cannot start another process', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, TEST_NO_ROOM: 'yes', WORKERS: '1' });
    await cluster.logged(ended, 2);
    cluster.signal('SIGHUP');
    await cluster.logged(running);
    cluster.signal('SIGTERM');
    expect(await cluster.exited).toEqual({ code: 0, signal: null });
  });

  test('stops while the system cannot start another process', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, TEST_NO_ROOM: 'yes', WORKERS: '1' });
    await cluster.logged(started);
    cluster.signal('SIGTERM');
    expect(await cluster.exited).toEqual({ code: 0, signal: null });
  });

  test('kills a worker whose event loop hangs within WORKER_HANG_MS and a second', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '2', WORKER_HANG_MS: '1000' });
    await cluster.logged(running, 2);
    const [victim, healthy] = cluster.workerPids();
    const hungAt = Date.now();
    process.kill(victim!, 'SIGUSR2');
    const death = await cluster.logged(ended);
    expect(death).toMatchObject({ workerPid: victim, signal: 'SIGKILL', reason: 'hung' });
    expect(atMs(death) - hungAt).toBeLessThan(2_000);
    await cluster.logged(running, 3);
    expect(isAlive(healthy!)).toBe(true);
  });

  test('kills a worker that never reports', async () => {
    await using cluster = startCluster({
      TEST_WORKER: supportFile('mute-worker.ts'),
      WORKERS: '1',
      WORKER_HANG_MS: '100',
      START_TIMEOUT_MS: '400',
    });
    expect(await cluster.logged(ended)).toMatchObject({ signal: 'SIGKILL', reason: 'never-came-up' });
  });

  test('keeps its workers when it was itself stopped for longer than WORKER_HANG_MS', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '1', WORKER_HANG_MS: '500' });
    await cluster.logged(running);
    cluster.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    cluster.signal('SIGCONT');
    const upMs = async () => JSON.parse((await cluster.get('/healthz')).text).workers[0].upMs as number;
    await until('a check of the worker after the pause', async () => (await upMs()) > 3_000);
    expect(cluster.lines.filter(ended)).toEqual([]);
  });

  test('passes SIGTERM on, waits for every worker to stop its task, and exits with 0', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '2', TEST_STOP_MS: '400' });
    await cluster.logged(running, 2);
    cluster.signal('SIGTERM');
    await cluster.logged((line) => line.msg === 'worker draining', 2);
    expect((await cluster.get('/healthz')).status).toBe(503);
    expect(await cluster.exited).toEqual({ code: 0, signal: null });
    expect(cluster.lines.filter((line) => line.msg === 'the task has stopped')).toHaveLength(2);
    const states = cluster.lines.filter((line) => line.msg?.startsWith('consumer ')).map((line) => line.state);
    expect(states).toEqual(['running', 'draining', 'stopped']);
  });

  test('ignores a signal that repeats at once', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '1', TEST_STOP_MS: '600' });
    await cluster.logged(running);
    cluster.signal('SIGINT');
    await cluster.logged((line) => line.verdict === 'drain');
    cluster.signal('SIGINT');
    expect(await cluster.exited).toEqual({ code: 0, signal: null });
  });

  test('ends at once at a second signal', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '1', TEST_STOP_MS: '60000', GRACE_MS: '60000' });
    await cluster.logged(running);
    cluster.signal('SIGTERM');
    const draining = await cluster.logged((line) => line.verdict === 'drain');
    await until('the time of the same Ctrl-C to pass', () => Date.now() - atMs(draining) > 350);
    cluster.signal('SIGTERM');
    expect(await cluster.exited).toEqual({ code: 1, signal: null });
    await until('the worker to be gone', () => !cluster.workerPids().some(isAlive));
  });

  test('kills a worker that does not stop in time', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '1', TEST_STOP_MS: '60000', GRACE_MS: '0' });
    await cluster.logged(running);
    cluster.signal('SIGTERM');
    expect(await cluster.exited).toEqual({ code: 1, signal: null });
    expect(cluster.lines.find(ended)).toMatchObject({ signal: 'SIGKILL' });
  });

  test('fails without a restart when a worker exits with the non-restartable code', async () => {
    await using cluster = startCluster({
      TEST_WORKER: supportFile('dying-worker.ts'),
      TEST_EXIT_CODE: '78',
      WORKERS: '1',
    });
    expect(await cluster.exited).toEqual({ code: 1, signal: null });
    expect(cluster.lines.filter(started)).toHaveLength(1);
  });

  test('goes on when one worker exits with that code while another one runs, and tries again', async () => {
    const broken = join(folder, 'broken');
    await using cluster = startCluster({ TEST_WORKER: stub, TEST_BROKEN: broken, WORKERS: '2' });
    await cluster.logged(running, 2);
    await until('both workers to be seen running', async () => {
      const { workers } = JSON.parse((await cluster.get('/healthz')).text);
      return workers.every((worker: { state: string }) => worker.state === 'running');
    });
    const [victim, healthy] = cluster.workerPids();
    writeFileSync(broken, '');
    process.kill(victim!, 'SIGKILL');
    await cluster.logged((line) => line.msg === 'worker exited' && line.code === 78, 2);
    expect(isAlive(healthy!)).toBe(true);
    rmSync(broken);
    await cluster.logged(running, 3);
    const pauses = cluster.lines.filter((line) => line.msg === 'worker restart scheduled');
    expect(pauses.slice(0, 3).map((line) => line.delayMs)).toEqual([200, 400, 800]);
  });

  test('a worker whose primary has died stops its task and exits', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '1' });
    await cluster.logged(running);
    cluster.signal('SIGKILL');
    await cluster.logged((line) => line.msg === 'the task has stopped');
    await until('the worker to be gone', () => !cluster.workerPids().some(isAlive));
  });

  test('serves /healthz with the state of every worker, and /backlog with what they know', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '2' });
    await cluster.logged(running, 2);
    await cluster.logged((line) => line.msg === 'consumer running');
    await until('both workers to be seen running', async () => {
      const { workers } = JSON.parse((await cluster.get('/healthz')).text);
      return workers.every((worker: { state: string }) => worker.state === 'running');
    });
    const { status, text } = await cluster.get('/healthz');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      state: 'running',
      workers: cluster.workerPids().map((pid, slot) => ({ slot, pid, restarts: 0, snapshot: { lanesOwned: 2 } })),
    });
    expect(await cluster.get('/backlog')).toMatchObject({
      status: 200,
      text: JSON.stringify({ pending: 7, oldestWaitMs: 3_500, workersWanted: 5 }),
    });
    expect((await cluster.get('/elsewhere')).status).toBe(404);
  });

  test('serves metrics that add up the workers, or take the worst, and never fall when one dies', async () => {
    await using cluster = startCluster({ TEST_WORKER: stub, WORKERS: '2' });
    await cluster.logged(running, 2);
    await until('both workers to be ready', async () => {
      return sampleOf((await cluster.get('/metrics')).text, 'lanekeeper_workers_ready') === 2;
    });
    const { text } = await cluster.get('/metrics');
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const sample = /^lanekeeper_[a-z_]+(\{([a-z_]+="[^"]*",?)*\})? (-?[\d.]+(e[+-]\d+)?|[+-]Inf|NaN)$/;
    expect(samples.filter((line) => !sample.test(line))).toEqual([]);
    expect(sampleOf(text, 'lanekeeper_settled_total{status="done"}')).toBe(2);
    expect(sampleOf(text, 'lanekeeper_accepted_to_started_seconds_sum')).toBeCloseTo(0.6);
    expect(sampleOf(text, 'lanekeeper_run_seconds_count{outcome="done"}')).toBe(2);
    expect(sampleOf(text, 'lanekeeper_lanes_owned')).toBe(4);
    expect(sampleOf(text, 'lanekeeper_stuck_users')).toBe(1);
    const oldest = Math.max(...cluster.workerPids()) / 1_000;
    expect(sampleOf(text, 'lanekeeper_oldest_pending_age_seconds')).toBeCloseTo(oldest);

    process.kill(cluster.workerPids()[0]!, 'SIGKILL');
    await cluster.logged(running, 3);
    const settled = async () =>
      sampleOf((await cluster.get('/metrics')).text, 'lanekeeper_settled_total{status="done"}');
    await until('the third worker to be counted', async () => (await settled()) !== 2);
    expect(await settled()).toBe(3);
  });
});
