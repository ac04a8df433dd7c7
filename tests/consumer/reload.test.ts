import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { eventually, openWorld, serversOf, type World } from '../support/world.ts';
import { consumerScript, isAlive, type LogLine, startCluster, supportFile, until } from './support/cluster.ts';

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-reload-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const running = (line: LogLine) => line.msg === 'worker running';
const exited = (line: LogLine) => line.msg === 'worker exited';
const done = (line: LogLine) => line.msg?.startsWith('reload done') ?? false;
const failed = (line: LogLine) => line.msg?.startsWith('reload failed') ?? false;

const answering = (version: string) => `export default async () => '${version}';\n`;

/** A processor in a file that a test edits, and a consumer that runs it. */
const openEdited = (world: World, name: string, first = answering('first')) => {
  const file = join(folder, `${name}.ts`);
  const edit = (text: string) => writeFileSync(file, text);
  edit(first);
  const cluster = startCluster(
    {
      ...serversOf(world),
      PROCESSOR: file,
      WORKERS: '2',
      // Longer than any reload on a busy machine: no run is aborted.
      GRACE_MS: '80000',
    },
    consumerScript,
  );
  return { cluster, edit };
};

const resultOf = async (world: World, user: Awaited<ReturnType<World['user']>>): Promise<unknown> => {
  const { seq } = await world.enqueue(user, {});
  return JSON.parse((await world.settled(user, seq, 30_000)).result ?? 'null');
};

describe('a reload', () => {
  test('puts workers with the new code in the place of all others, and the consumer stays ready', async () => {
    await using world = await openWorld();
    const { cluster, edit } = openEdited(world, 'new-code');
    await using _ = cluster;
    await cluster.logged(running, 2);
    const user = await world.user();
    expect(await resultOf(world, user)).toBe('first');
    const before = cluster.workerPids();

    edit(answering('second'));
    cluster.signal('SIGUSR2');
    await cluster.logged(done);
    expect((await cluster.get('/livez')).status).toBe(200);
    await eventually('a request meets the new code', async () => (await resultOf(world, user)) === 'second', 30_000);
    await cluster.logged(exited, 2);
    expect(before.some(isAlive)).toBe(false);
    const { workers } = JSON.parse((await cluster.get('/healthz')).text);
    expect(workers).toMatchObject([
      { restarts: 0, state: 'running' },
      { restarts: 0, state: 'running' },
    ]);
    expect(cluster.lines.filter(exited).every((line) => line.level === 30)).toBe(true);
  });

  test('with code that cannot be loaded leaves the workers alone and logs the error once; the next one works', async () => {
    await using world = await openWorld();
    const { cluster, edit } = openEdited(world, 'broken');
    await using _ = cluster;
    await cluster.logged(running, 2);
    const user = await world.user();
    const before = cluster.workerPids();

    edit('export default async () => {');
    cluster.signal('SIGUSR2');
    await cluster.logged(failed);
    expect(cluster.lines.filter((line) => line.level === 60)).toHaveLength(1);
    expect(cluster.output()).toMatch(/could not be loaded/);
    expect(await resultOf(world, user)).toBe('first');
    expect(before.every(isAlive)).toBe(true);

    edit(answering('second'));
    cluster.signal('SIGUSR2');
    await cluster.logged(done);
    await eventually('a request meets the new code', async () => (await resultOf(world, user)) === 'second', 30_000);
    cluster.signal('SIGTERM');
    expect(await cluster.exited).toEqual({ code: 0, signal: null });
  });

  test('lets a run that it meets end, once, before the user’s next request runs with the new code', async () => {
    await using world = await openWorld();
    const gate = join(folder, 'gate');
    const waiting = `import { existsSync } from 'node:fs';
      import { setTimeout } from 'node:timers/promises';
      export default async () => {
        while (!existsSync(${JSON.stringify(gate)})) await setTimeout(20);
        return 'first';
      };`;
    const { cluster, edit } = openEdited(world, 'in-flight', waiting);
    await using _ = cluster;
    await cluster.logged(running, 2);
    const user = await world.user();
    await world.enqueue(user, {});
    await world.enqueue(user, {});
    await eventually('the first request runs', async () => (await world.entry(user, 1))?.status === 'processing');

    edit(answering('second'));
    cluster.signal('SIGUSR2');
    await cluster.logged(done);
    // A worker that hands its lanes over serves those that wait for their turn, with the old code, which waits for the gate.
    const meetsNewCode = async (): Promise<boolean> => {
      const other = await world.user();
      await world.enqueue(other, {});
      const entry = await world.settled(other, 1, 2_000).catch(() => undefined);
      return entry?.result === '"second"';
    };
    await eventually('another user meets the new code', meetsNewCode, 30_000);
    expect((await world.entry(user, 1))?.status).toBe('processing');

    writeFileSync(gate, '');
    expect(await world.settled(user, 2, 30_000)).toMatchObject({ status: 'done', result: '"second"', attempts: 1 });
    expect(await world.entry(user, 1)).toMatchObject({ status: 'done', result: '"first"', attempts: 1 });
    await cluster.logged(exited, 2);
  });

  test('begins again when another one comes before the new workers are ready', async () => {
    await using world = await openWorld();
    const { cluster, edit } = openEdited(world, 'twice');
    await using _ = cluster;
    await cluster.logged(running, 2);
    const waiting = join(folder, 'waiting');
    edit(`import { writeFileSync } from 'node:fs';
      writeFileSync(${JSON.stringify(waiting)}, '');
      await new Promise((resolve) => setTimeout(resolve, 86_400_000));
      export default async () => 'never';`);
    cluster.signal('SIGUSR2');
    await until('a new worker hangs in its import', () => existsSync(waiting));
    edit(answering('third'));
    cluster.signal('SIGUSR2');
    expect(await cluster.logged(done)).toMatchObject({ generation: 2 });
    const user = await world.user();
    await eventually('a request meets the new code', async () => (await resultOf(world, user)) === 'third', 30_000);
    // Two workers before, and the one that hung.
    await cluster.logged(exited, 3);
  });

  test('keeps the counts of the workers that it replaces', async () => {
    await using cluster = startCluster({ TEST_WORKER: supportFile('stub-worker.ts'), WORKERS: '2' });
    await cluster.logged(running, 2);
    const settled = async () => {
      const { text } = await cluster.get('/metrics');
      return Number(/^lanekeeper_settled_total\{status="done"\} (\d+)$/m.exec(text)?.[1]);
    };
    await until('both workers to be counted', async () => (await settled()) === 2);
    cluster.signal('SIGUSR2');
    await cluster.logged(exited, 2);
    await until('the new workers to be counted', async () => (await settled()) === 4);
  });
});
