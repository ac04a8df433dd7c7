/**
 * `npm run bench`: what Lanekeeper does in a second, how soon a request starts, what a request costs, and how that compares with the limit of the same servers. Starts
 * everything it needs and leaves nothing behind. docs/performance.md explains the figures.
 */
import process, { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { runTool } from '../tools/run-tool.ts';
import { own, type Spec } from './contenders.ts';
import { measureFreeze, measureKill } from './failover.ts';
import { atLeast, atMost, markdownTable, shown, spread, type Target, targetTable } from './figures.ts';
import { isClean } from './judge.ts';
import { describeBesideLogins, measureBesideLogins } from './logins.ts';
import { machine } from './machine.ts';
import { acceptedToStarted, dueToStarted, keyOfBody, type Latencies, type Result, resultOf } from './results.ts';
import { type BenchServers, type Sync, startServers, syncs } from './servers.ts';
import { type Measured, openTrial, type Trial, warm } from './trial.ts';

const parts = ['burst', 'latency', 'users', 'pending', 'failover'] as const;
type Part = (typeof parts)[number];

const users = 100;
const inFlight = 64;
/** Users who send nothing, for the row that shows whether their number costs anything. */
const idleUsers = 20_000;
const paced = { ratePerSecond: 200, count: 1_000 };
/** The first calls of one user have few requests before them, the last ones all. These shares of them are compared. */
const pendingSlices = 10;

const usage = `npm run bench -- [options]
  --parts ${parts.join(',')}   what is measured (all)
  --rounds 3          how often; medians and spreads are of these
  --count 4000        requests of a burst
  --pending 10000     requests of the one user
  --sync none         ${syncs.join(' or ')}: how the MongoDB stand-in syncs its log
  --logins            measures only what logins cost other calls`;

const say = (text: string): void => void stdout.write(`${text}\n`);

const specOf = (name: string): Spec => own.find((spec) => spec.name === name) as Spec;

/** @throws {Error} when a request was lost, ran twice or in the wrong order: figures would be worthless. */
const mustBeClean = ({ spec }: Trial, { verdict }: Measured): void => {
  if (spec.keepsOrder && !isClean(verdict))
    throw new Error(`${spec.name} breaks its promises: ${JSON.stringify(verdict)}`);
};

const burst = async (trial: Trial, count: number): Promise<Result> => {
  const measured = await trial.measure({ users, count, inFlight });
  mustBeClean(trial, measured);
  return resultOf(measured, trial.spec.product?.api);
};

type Context = { servers: BenchServers; sync: Sync; rounds: number; count: number; pending: number };

const each = async <T>(rounds: number, work: () => Promise<T>): Promise<T[]> => {
  const results: T[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await work());
  return results;
};

const ratios = (one: number[], other: number[]): number[] =>
  one.map((value, index) => value / (other[index] ?? Number.NaN));

const burstRow = (title: string, results: Result[]): string[] => [
  title,
  ...(['accepted', 'endToEnd', 'cpuOwn', 'cpuServers', 'statements'] as const).map((key) =>
    spread(results.map((result) => result[key])),
  ),
];

/** The bare loop, calls and HTTP in turns, so that what else the machine does hits all of them. */
const measureBursts = async ({ rounds, count }: Context, trials: Record<'bare' | 'calls' | 'http', Trial>) => {
  const results: Record<'bare' | 'calls' | 'http', Result[]> = { bare: [], calls: [], http: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['bare', 'calls', 'http'] as const) results[name].push(await burst(trials[name], count));
  }
  const { bare, calls, http } = results;
  const of = (list: Result[], key: 'accepted' | 'endToEnd' | 'cpuOwn' | 'cpuServers' | 'statements') =>
    list.map((result) => result[key]);
  say(
    `\n${markdownTable(
      ['64 in flight, 100 users', 'accepted/s', 'end to end/s', 'CPU ms, own', 'CPU ms, servers', 'statements'],
      [burstRow('bare loop', bare), burstRow('by calls', calls), burstRow('over HTTP', http)],
    )}`,
  );
  const targets = [
    atLeast('end to end, ratio to the bare loop', ratios(of(calls, 'endToEnd'), of(bare, 'endToEnd')), 0.7),
    atMost('CPU per request, own processes', of(calls, 'cpuOwn'), 0.45, ' ms'),
    atMost('CPU per request, MongoDB and RabbitMQ', of(calls, 'cpuServers'), 0.8, ' ms'),
    atLeast('HTTP as a share of calls, accepted', ratios(of(http, 'accepted'), of(calls, 'accepted')), 0.85),
    atLeast('HTTP as a share of calls, end to end', ratios(of(http, 'endToEnd'), of(calls, 'endToEnd')), 0.85),
    atMost('statements per request, 64 in flight', of(calls, 'statements'), 0.6),
  ];
  return { targets, calls };
};

const acceptTimes = async ({ servers, sync }: Context, { place }: Trial): Promise<Map<string, number>> => {
  const requests = servers.database(place.name, sync).collection<{ body: string; acceptedAt: Date }>('requests');
  const entries = await requests.find({}, { projection: { body: 1, acceptedAt: 1 } }).toArray();
  return new Map(entries.map(({ body, acceptedAt }) => [keyOfBody(body), acceptedAt.getTime()]));
};

const measureLatencies = async (context: Context, trials: Record<'calls' | 'http', Trial>): Promise<Target[]> => {
  const rows: string[][] = [];
  const started: Latencies[] = [];
  const texts = (latencies: Latencies[]) =>
    (['p50', 'p99'] as const).map((key) => spread(latencies.map((latency) => latency[key])));
  for (const [name, trial] of Object.entries(trials)) {
    const results = await each(context.rounds, async () => {
      const measured = await trial.measure({ users, ...paced });
      mustBeClean(trial, measured);
      const accepted = acceptedToStarted(measured, await acceptTimes(context, trial));
      if (name === 'calls') started.push(accepted);
      return { accepted, due: dueToStarted(measured) };
    });
    const [accepted, due] = [results.map((result) => result.accepted), results.map((result) => result.due)];
    rows.push([name === 'calls' ? 'by calls' : 'over HTTP', ...texts(accepted), ...texts(due)]);
  }
  const head = ['200/s, ms', 'accepted to started, p50', 'p99', 'due to started, p50', 'p99'];
  say(`\n${markdownTable(head, rows)}`);
  return [
    atMost(
      '200/s, accepted to started, p50',
      started.map(({ p50 }) => p50),
      2.8,
      ' ms',
    ),
    atMost(
      '200/s, accepted to started, p99',
      started.map(({ p99 }) => p99),
      9.7,
      ' ms',
    ),
  ];
};

const cpuOf = ({ cpuOwn, cpuServers }: Result): number => cpuOwn + cpuServers;

/** The same burst, with 20,000 documents of users beside those who send. */
const measureUsers = async ({ servers, sync, rounds, count }: Context, few: Result[]): Promise<Target[]> => {
  const trial = await openTrial(specOf('lanekeeper'), servers, { users, idleUsers, sync });
  try {
    await warm(trial);
    const many = await each(rounds, () => burst(trial, Math.ceil(count / 2)));
    say(
      `\n${markdownTable(
        ['64 in flight, by calls', 'accepted/s', 'end to end/s', 'CPU ms, own', 'CPU ms, servers', 'statements'],
        [burstRow('100 users', few), burstRow(`100 users, and ${shown(idleUsers)} documents`, many)],
      )}`,
    );
    const growth = (of: (result: Result) => number) => ratios(many.map(of), few.map(of));
    return [
      atMost('CPU per request, 20,000 documents to 100', growth(cpuOf), 1.3),
      atMost(
        'time per accepted request, 20,000 documents to 100',
        growth(({ accepted }) => 1 / accepted),
        1.3,
      ),
    ];
  } finally {
    await trial.close();
  }
};

/** One user whose first run does not end: everything behind it is pending. */
const measurePending = async ({ servers, sync, pending: count }: Context): Promise<Target[]> => {
  const trial = await openTrial(specOf('lanekeeper'), servers, { users: 1, sync });
  const slice = Math.floor(count / pendingSlices);
  try {
    // Code gets warm with as many calls as the first figure is of.
    mustBeClean(trial, await trial.measure({ users: 1, count: slice, inFlight }));
    trial.log.forget();
    await trial.send({ users: 1, count: 1, isHeld: true, inFlight: 1 });
    const accept = async (calls: number) => {
      const [before, sent] = [trial.cpuMs(), await trial.send({ users: 1, count: calls, inFlight })];
      const after = trial.cpuMs();
      const cpu = (['client', 'workers', 'mongodb', 'rabbitmq'] as const).map((group) => after[group] - before[group]);
      const ms =
        Math.max(...sent.map(({ answeredAt }) => answeredAt)) - Math.min(...sent.map(({ calledAt }) => calledAt));
      return { ms: ms / calls, cpuMs: cpu.reduce((sum, one) => sum + one, 0) / calls };
    };
    const first = await accept(slice);
    await accept(count - 2 * slice);
    const last = await accept(slice);
    const from = performance.now();
    trial.log.release();
    await trial.untilRun(count + 1);
    await trial.untilSettled();
    const drained = (count * 1_000) / (performance.now() - from);
    const row = (title: string, { ms, cpuMs }: typeof first) => [title, shown(1_000 / ms), shown(cpuMs)];
    say(
      `\n${markdownTable(
        ['One user, 64 in flight, by calls', 'accepted/s', 'CPU ms, all'],
        [row(`1 to ${shown(slice)} pending`, first), row(`${shown(count - slice)} to ${shown(count)} pending`, last)],
      )}\n\n${shown(count)} pending requests of one user were worked off at ${shown(drained)}/s.`,
    );
    return [
      atMost(`CPU per request, ${shown(count)} pending to 1`, [last.cpuMs / first.cpuMs], 1.3),
      atMost(`time per accepted request, ${shown(count)} pending to 1`, [last.ms / first.ms], 1.3),
    ];
  } finally {
    await trial.close();
  }
};

const measureFailovers = async ({ servers, sync }: Context): Promise<Target[]> => {
  const spec = specOf('lanekeeper');
  const kill = await measureKill(spec, servers, sync);
  say(`\n1,000 runs under way: kill -9 hit ${kill.usersHit} users, the worst for ${shown(kill.worstMs)} ms.`);
  const freeze = await measureFreeze(spec, servers, sync);
  say(`The frozen container hit ${freeze.usersHit} users, the worst for ${shown(freeze.worstMs)} ms.`);
  return [
    atMost('kill -9 of one of two workers, 1,000 runs under way', [kill.worstMs], 300, ' ms'),
    atMost('one of two containers frozen', [freeze.worstMs], 4_000, ' ms'),
  ];
};

const measureAll = async (context: Context, wanted: Part[]): Promise<void> => {
  const { servers, sync } = context;
  const targets: Target[] = [];
  const open = async (name: string): Promise<Trial> => {
    const trial = await openTrial(specOf(name), servers, { users, sync });
    trials.push(trial);
    await warm(trial);
    return trial;
  };
  const trials: Trial[] = [];
  let few: Result[] = [];
  try {
    if (wanted.includes('burst') || wanted.includes('latency')) {
      const [calls, http] = [await open('lanekeeper'), await open('lanekeeper-http')];
      if (wanted.includes('burst')) {
        const bursts = await measureBursts(context, { bare: await open('bare-loop'), calls, http });
        few = bursts.calls;
        targets.push(...bursts.targets);
      }
      if (wanted.includes('latency')) targets.push(...(await measureLatencies(context, { calls, http })));
    }
    if (wanted.includes('users') && few.length === 0) {
      const calls = await open('lanekeeper');
      few = await each(context.rounds, () => burst(calls, context.count));
    }
  } finally {
    await Promise.all(trials.map((trial) => trial.close()));
  }
  if (wanted.includes('users')) targets.push(...(await measureUsers(context, few)));
  if (wanted.includes('pending')) targets.push(...(await measurePending(context)));
  if (wanted.includes('failover')) targets.push(...(await measureFailovers(context)));
  say(`\n${targetTable(targets)}`);
};

const partsIn = (text: string): Part[] => {
  const named = text.split(',');
  const unknown = named.filter((name) => !parts.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`There is no part ${unknown.join(', ')}.\n${usage}`);
  return parts.filter((part) => named.includes(part));
};

const options = {
  parts: { type: 'string', default: parts.join(',') },
  rounds: { type: 'string', default: '3' },
  count: { type: 'string', default: '4000' },
  pending: { type: 'string', default: '10000' },
  sync: { type: 'string', default: 'none' },
  logins: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

await runTool(async () => {
  const { values } = parseArgs({ options });
  if (values.help) return say(usage);
  const wanted = partsIn(values.parts);
  const sync = syncs.find((name) => name === values.sync);
  if (!sync) throw new Error(`--sync must be ${syncs.join(' or ')}.`);
  const startedAt = performance.now();
  const servers = await startServers(['rabbitmq', 'mongodb'], [sync]);
  const interrupt = () => void servers.stop().finally(() => exit(130));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    say([machine(), ...servers.labels].join('\n'));
    const [rounds, count, pending] = [values.rounds, values.count, values.pending].map(Number) as [
      number,
      number,
      number,
    ];
    const context = { servers, sync, rounds, count, pending };
    if (values.logins) say(`\n${describeBesideLogins(await measureBesideLogins(context))}`);
    else await measureAll(context, wanted);
  } finally {
    await servers.stop();
  }
  say(`\nAll of it took ${shown((performance.now() - startedAt) / 1_000)} s.`);
});
