/** What the workflows run and start, compared with this repository. `actionlint.slow.test.ts` reads them as GitHub does. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { filesUnder, read } from '../docs/support/markdown.ts';

type Step = {
  name?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
};
type Job = { env?: Record<string, string>; steps: Step[]; 'timeout-minutes'?: number };
type Workflow = { on: Record<string, unknown>; jobs: Record<string, Job>; permissions: object };

const workflows = filesUnder('.github/workflows', '.yml').map((file) => [file, parse(read(file)) as Workflow] as const);
const { scripts, engines }: { scripts: Record<string, string>; engines: { node: string } } = JSON.parse(
  read('package.json'),
);

describe.each(workflows)('%s', (_file, { jobs, permissions }) => {
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('runs only npm scripts that exist', () => {
    const run = steps.flatMap(({ run = '' }) =>
      [...run.matchAll(/npm (?:run )?(test\S*|(?<=run )\S+)/g)].map(([, name = '']) => name),
    );
    expect(run.length).toBeGreaterThan(0);
    expect(run.filter((name) => !scripts[name])).toEqual([]);
  });

  test('may only read the repository, and no job runs for hours', () => {
    expect(permissions).toEqual({ contents: 'read' });
    for (const job of Object.values(jobs)) expect(job['timeout-minutes']).toBeLessThanOrEqual(90);
  });
});

describe('.github/workflows/test.yml', () => {
  const { on, jobs } = parse(read('.github/workflows/test.yml')) as Workflow;
  const real = jobs['real-servers'] as Job;
  const text = real.steps.map(({ run = '' }) => run).join('\n');
  const runs = (command: string): number => real.steps.findIndex(({ run = '' }) => run.startsWith(command));

  test('runs for every change, on the Node that the package asks for', () => {
    expect(on).toMatchObject({ push: { branches: ['main'] }, pull_request: null });
    const used = Object.values(jobs).map((job) =>
      job.steps.find(({ uses }) => uses?.startsWith('actions/setup-node@')),
    );
    for (const step of used) expect(`>=${step?.with?.['node-version']}`).toBe(engines.node);
  });

  test('has the history that the upgrade test needs', () => {
    const checkout = real.steps.find(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkout?.with).toEqual({ 'fetch-depth': 0 });
  });

  test('starts MongoDB 8 as a replica set and RabbitMQ 4, and names both to the tests', () => {
    const set = /mongo:8 --replSet (\w+)/.exec(text)?.[1];
    expect(set).toBeDefined();
    expect(text).toMatch(/ rabbitmq:4$/m);
    expect(text).toContain(`_id: "${set}"`);
    const { searchParams, host } = new URL(String(real.env?.MONGODB_URL));
    expect(searchParams.get('replicaSet')).toBe(set);
    expect(text).toContain(`host: "${host}"`);
    expect(new URL(String(real.env?.RABBITMQ_URL)).port).toBe('5672');
  });

  test('runs the whole suite, and then ten minutes of chaos on the same programs', () => {
    const [all, slow, chaos] = ['npm test', 'npm run test:slow', 'npm run chaos'].map(runs);
    expect(all).toBeGreaterThan(
      real.steps.findIndex(({ run = '' }) => run.includes('docker cp mongodb:/usr/bin/mongod')),
    );
    expect(slow).toBeGreaterThan(all as number);
    expect(chaos).toBeGreaterThan(slow as number);
    expect(real.steps[chaos as number]?.env?.MINUTES).toContain("'10'");
    // Without --only: a stepdown is among the faults.
    expect(real.steps[chaos as number]?.run).toBe('npm run chaos -- --minutes "$MINUTES"');
  });
});
