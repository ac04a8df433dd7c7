/** The comparison as Markdown, and the targets that it can tell about. */
import type { Spec } from './contenders.ts';
import { atLeast, atMost, markdownTable, spread, type Target, targetTable } from './figures.ts';
import type { Verdict } from './judge.ts';
import type { Latencies, Result } from './results.ts';
import { type Sync, syncs } from './servers.ts';

export type Case = { name: string; users: number; each: number; idleUsers: number };

/** `sync`: of contenders with MongoDB. */
export type Trialed = {
  round: number;
  case: string;
  contender: string;
  sync: Sync | undefined;
  result?: Result & { warmUp: Verdict; latency?: Latencies };
  failure?: string;
};

export type Comparison = { cases: Case[]; specs: Spec[]; all: Trialed[] };

export const titleOf = ({ name, users, each, idleUsers }: Case): string => {
  const idle = idleUsers > 0 ? `, beside ${idleUsers.toLocaleString('en-US')} users who send nothing` : '';
  return `${name}: ${users.toLocaleString('en-US')} users, ${each} requests each${idle}`;
};

/** The rows of a case: a contender, and how its MongoDB syncs. */
export const rowsOf = ({ specs, all }: Comparison, { name }: Case) =>
  specs.flatMap((spec) =>
    [undefined, ...syncs].flatMap((sync) => {
      const trials = all.filter((one) => one.case === name && one.contender === spec.name && one.sync === sync);
      return trials.length > 0 ? [{ spec, sync, trials }] : [];
    }),
  );

/** What the judge found in all trials together, the warm-up included. */
const foundIn = (trials: Trialed[]): string => {
  const verdicts = trials.flatMap(({ result }) => (result ? [result.warmUp, result.verdict] : []));
  const counted = (['lost', 'duplicates', 'inversions', 'overlaps'] as const).map((kind) => {
    const sum = verdicts.reduce((total, verdict) => total + verdict[kind], 0);
    return sum > 0 ? `${sum} ${kind}` : '';
  });
  const failures = trials.filter(({ failure }) => failure).length;
  return [...counted, failures > 0 ? `${failures} failed` : ''].filter(Boolean).join(', ') || 'nothing';
};

const caseTable = (comparison: Comparison, one: Case): string => {
  const rows = rowsOf(comparison, one);
  const withLatency = rows.some(({ trials }) => trials.some(({ result }) => result?.latency));
  const latencyHead = withLatency ? ['200/s: due to started, p50 ms', 'p99 ms'] : [];
  const head = [
    'Contender',
    'accepted/s',
    'end to end/s',
    'CPU ms, own',
    'CPU ms, servers',
    ...latencyHead,
    'the judge found',
  ];
  const cells = rows.map(({ spec, sync, trials }) => {
    const of = (value: (result: NonNullable<Trialed['result']>) => number | undefined): string =>
      spread(trials.flatMap(({ result }) => (result ? (value(result) ?? []) : [])));
    const latency = withLatency ? [of((result) => result.latency?.p50), of((result) => result.latency?.p99)] : [];
    return [
      sync ? `${spec.title}; ${sync}` : spec.title,
      of(({ accepted }) => accepted),
      of(({ endToEnd }) => endToEnd),
      of(({ cpuOwn }) => cpuOwn),
      of(({ cpuServers }) => cpuServers),
      ...latency,
      foundIn(trials),
    ];
  });
  const absent = comparison.specs.filter(({ most }) => most && one.users > most.users);
  const why = absent.map(({ title, most }) => `Without ${title}: ${most?.why}.`);
  return [`### ${titleOf(one)}`, markdownTable(head, cells), ...why].join('\n\n');
};

const durabilityTable = (specs: Spec[]): string => {
  const rows = specs.flatMap(({ title, needs, durability }) =>
    needs.includes('mongodb')
      ? syncs.map((sync) => [`${title}; ${sync}`, durability(sync)])
      : [[title, durability('none')]],
  );
  return ['### How durable', markdownTable(['Contender', 'When it has accepted a request'], rows)].join('\n\n');
};

export const describe = (told: Comparison & { conditions: string[]; targets: Target[] }): string =>
  [
    ...told.conditions
      .map((line) => `- ${line}`)
      .join('\n')
      .split('\n\n'),
    'Medians of the rounds, with the least and the largest. CPU is in ms for each request.',
    ...told.cases.map((one) => caseTable(told, one)),
    durabilityTable(told.specs),
    ['### Targets', targetTable(told.targets)].join('\n\n'),
  ].join('\n\n');

type Value = (result: NonNullable<Trialed['result']>) => number | undefined;

/** One value of a contender divided by that of another, in each round that has both. A contender without MongoDB has one for both ways to sync. */
const ratiosIn = (all: Trialed[], name: string, sync: Sync, against: string, value: Value): number[] => {
  const find = (round: number, contender: string) =>
    all.find((one) => {
      const isIt = one.round === round && one.case === name && one.contender === contender;
      return isIt && (one.sync === undefined || one.sync === sync);
    })?.result;
  return [...new Set(all.map(({ round }) => round))].flatMap((round) => {
    const [one, other] = [find(round, 'lanekeeper'), find(round, against)];
    const ratio = one && other ? (value(one) ?? Number.NaN) / (value(other) ?? Number.NaN) : Number.NaN;
    return Number.isFinite(ratio) ? [ratio] : [];
  });
};

/** @param older the name of the older Lanekeeper, where there is one. */
export const targetsOf = (all: Trialed[], older = 'lanekeeper-older'): Target[] => {
  const accepted: Value = (result) => result.accepted;
  const endToEnd: Value = (result) => result.endToEnd;
  const p99: Value = (result) => result.latency?.p99;
  const measuredSyncs = syncs.filter((sync) => all.some((one) => one.sync === sync));
  const each = (make: (sync: Sync) => Target[]): Target[] => measuredSyncs.flatMap(make);
  const ratios = (name: string, sync: Sync, against: string, value: Value) => ratiosIn(all, name, sync, against, value);
  const times = ' times';
  return [
    ...each((sync) => [
      atLeast(`accepted, 100 users, ${sync}: of ${older}`, ratios('100x100', sync, older, accepted), 3, times),
      atLeast(
        `accepted, 20,000 documents, ${sync}: of ${older}`,
        ratios('100x20+20000', sync, older, accepted),
        10,
        times,
      ),
    ]),
    ...['100x100', '1000x20'].flatMap((name) =>
      each((sync) => [
        atLeast(`end to end, ${name}, ${sync}: of ${older}`, ratios(name, sync, older, endToEnd), 2.5, times),
        atLeast(`end to end, ${name}, ${sync}: of pg-boss`, ratios(name, sync, 'pg-boss', endToEnd), 1, times),
      ]),
    ),
    ...each((sync) => [
      atLeast(`end to end, 10000x2, ${sync}: of pg-boss`, ratios('10000x2', sync, 'pg-boss', endToEnd), 1, times),
      atLeast(`end to end, 10000x2, ${sync}: of GroupMQ`, ratios('10000x2', sync, 'groupmq', endToEnd), 1, times),
    ]),
    ...['100x100', '1000x20', '10000x2'].flatMap((name) =>
      each((sync) => [
        atLeast(
          `end to end, ${name}, ${sync}: of the bare loop`,
          ratios(name, sync, 'bare-loop', endToEnd),
          0.7,
          times,
        ),
      ]),
    ),
    ...each((sync) => [
      atMost(`200/s, due to started, p99, ${sync}: of BullMQ's`, ratios('100x100', sync, 'bullmq', p99), 1, times),
    ]),
  ];
};
