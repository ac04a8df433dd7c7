/**
 * Lanekeeper, an older commit of it, and what teams would pick instead, under the same loads and in turns. Run by `npm run bench:peers`, which installs the peers first.
 * Writes the measurements as JSON, and a report with a picture.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process, { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { root, runTool } from '../tools/run-tool.ts';
import { lanekeeper, own, peers, productNeeds, type Spec } from './contenders.ts';
import { machine } from './machine.ts';
import { openOlderTree } from './older.ts';
import { draw } from './picture.ts';
import { type Case, describe, type Trialed, targetsOf } from './report.ts';
import { dueToStarted, resultOf } from './results.ts';
import { type BenchServers, type ServerName, type Sync, startServers, syncs } from './servers.ts';
import { openTrial, warm } from './trial.ts';

const inFlight = 64;
const paced = { ratePerSecond: 200, count: 1_000 };
const allPeers = ['lanekeeper', 'bare-loop', 'amqplib', 'shared-queue', ...peers.map(({ name }) => name)];

const usage = `npm run bench:peers -- [options]
  --cases 100x100,100x20+20000,1000x20,10000x2   users x requests of each, + users who send nothing
  --peers ${allPeers.join(',')}
  --rounds 3            each case in each round, the contenders in another order
  --sync none,fsync     how the MongoDB stand-in syncs its log
  --against 7a83d06     an older revision or folder of Lanekeeper, or none
  --no-latency          leaves out 200 requests a second, which are part of the cases with 100 users
  --out .build/bench    where the report goes`;

const say = (text: string): void => void stdout.write(`${text}\n`);

const listed = (text: string): string[] => text.split(',').filter(Boolean);

/** @throws {Error} for a case of another form. */
const caseOf = (text: string): Case => {
  const [, users, each, idleUsers = '0'] = /^(\d+)x(\d+)(?:\+(\d+))?$/.exec(text) ?? [];
  if (!users || !each) throw new Error(`${text} is no case.\n${usage}`);
  return { name: text, users: Number(users), each: Number(each), idleUsers: Number(idleUsers) };
};

/** Only Lanekeeper has users who send nothing. */
const takesPart = (spec: Spec, { users, idleUsers }: Case): boolean =>
  (idleUsers === 0 || spec.product !== undefined) && users <= (spec.most?.users ?? users);

type Plan = { cases: Case[]; specs: Spec[]; syncs: Sync[]; rounds: number; withLatency: boolean };

const runTrial = async (spec: Spec, one: Case, sync: Sync, servers: BenchServers, withLatency: boolean) => {
  const { users, each, idleUsers } = one;
  const trial = await openTrial(spec, servers, { users, idleUsers, sync });
  try {
    const warmUp = await warm(trial);
    const measured = await trial.measure({ users, count: users * each, inFlight });
    const latency =
      withLatency && users === 100 && idleUsers === 0
        ? dueToStarted(await trial.measure({ users, ...paced }))
        : undefined;
    return { ...resultOf(measured), warmUp, latency };
  } finally {
    await trial.close();
  }
};

/** Nobody comes first in every round. */
const rotated = <Item>(items: Item[], by: number): Item[] =>
  items.map((_, index) => items[(index + by) % items.length] as Item);

/** A contender without MongoDB is measured once in a round: `sync` means nothing to it. */
const measureAll = async (plan: Plan, servers: BenchServers): Promise<Trialed[]> => {
  const all: Trialed[] = [];
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const one of plan.cases) {
      const turns = plan.specs.flatMap((spec) => {
        const wanted = spec.needs.includes('mongodb') ? plan.syncs : plan.syncs.slice(0, 1);
        return takesPart(spec, one) ? wanted.map((sync) => ({ spec, sync })) : [];
      });
      for (const { spec, sync } of rotated(turns, round * 3)) {
        const about = {
          round,
          case: one.name,
          contender: spec.name,
          sync: spec.needs.includes('mongodb') ? sync : undefined,
        };
        try {
          const result = await runTrial(spec, one, sync, servers, plan.withLatency);
          all.push({ ...about, result });
          const rates = `accepted ${Math.round(result.accepted)}/s, end to end ${Math.round(result.endToEnd)}/s`;
          say(
            `round ${round + 1}  ${one.name}  ${spec.name} ${about.sync ?? ''}  ${rates}  ${JSON.stringify(result.verdict)}`,
          );
        } catch (error) {
          // One contender that fails must not cost the figures of all others.
          all.push({ ...about, failure: String(error) });
          say(`round ${round + 1}  ${one.name}  ${spec.name} ${about.sync ?? ''}  FAILED: ${String(error)}`);
        }
      }
    }
  }
  return all;
};

const options = {
  cases: { type: 'string', default: '100x100,100x20+20000,1000x20,10000x2' },
  peers: { type: 'string', default: allPeers.join(',') },
  rounds: { type: 'string', default: '3' },
  sync: { type: 'string', default: syncs.join(',') },
  against: { type: 'string', default: '7a83d06' },
  'no-latency': { type: 'boolean', default: false },
  out: { type: 'string', default: join(root, '.build', 'bench') },
  help: { type: 'boolean', default: false },
} as const;

const chosen = (names: string[]): Spec[] => {
  const known = [...own, ...peers];
  const unknown = names.filter((name) => !known.some((spec) => spec.name === name));
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}.\n${usage}`);
  return known.filter(({ name }) => names.includes(name));
};

await runTool(async () => {
  const { values } = parseArgs({ options });
  if (values.help) return say(usage);
  const startedAt = performance.now();
  const specs = chosen(listed(values.peers));
  const cases = listed(values.cases).map(caseOf);
  const wantedSyncs = syncs.filter((sync) => listed(values.sync).includes(sync));
  const neededByOlder = values.against === 'none' ? [] : productNeeds;
  const needed = [...new Set<ServerName>([...neededByOlder, ...specs.flatMap(({ needs }) => needs)])];
  const servers = await startServers(needed, wantedSyncs);
  const older = values.against === 'none' ? undefined : await openOlderTree(values.against, servers.folder);
  const stop = async (): Promise<void> => {
    await older?.remove();
    await servers.stop();
  };
  process
    .once('SIGINT', () => void stop().finally(() => exit(130)))
    .once('SIGTERM', () => void stop().finally(() => exit(130)));
  try {
    // With 10,000 users it takes minutes, and no target asks for it.
    const most = { users: 1_000, why: 'it takes minutes' };
    if (older) specs.splice(1, 0, { ...lanekeeper(older.name, older.checkout), most });
    const conditions = [machine(), ...servers.labels];
    const plan = {
      cases,
      specs,
      syncs: wantedSyncs,
      rounds: Number(values.rounds),
      withLatency: !values['no-latency'],
    };
    const all = await measureAll(plan, servers);
    const report = describe({ conditions, cases, specs, all, targets: targetsOf(all, older?.name) });
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, 'peers.json'), `${JSON.stringify({ conditions, all }, null, 2)}\n`);
    writeFileSync(join(values.out, 'peers.md'), `${report}\n\n![End to end](peers.svg)\n`);
    writeFileSync(join(values.out, 'peers.svg'), draw({ cases, specs, all }));
    say(`\n${report}\n\nThe measurements, this report and its picture are in ${values.out}.`);
  } finally {
    await stop();
  }
  say(`All of it took ${Math.round((performance.now() - startedAt) / 1_000)} s.`);
});
