/**
 * Where the time goes: a CPU profile by whose code was on top of the stack.
 * By hand: `node tools/bench/profile.ts FILE.cpuprofile…`, for any profile that `node --cpu-prof` wrote.
 */
import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';
import { shareOf, table } from './figures.ts';

type Frame = { functionName: string; url: string; lineNumber: number };

export type CpuProfile = {
  nodes: { id: number; callFrame: Frame }[];
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
};

/** Microseconds of its own, not of what it called. */
type Spent = { frame: Frame; us: number };

export type Summary = { busyMs: number; idleMs: number; categories: [string, number][]; hottest: Spent[] };

const idle = 'idle';

/** In this order: the first that fits. */
const packages: [RegExp, string][] = [
  [/node_modules\/(mongodb|bson|mongoose)\//, 'MongoDB driver and mongoose'],
  [/node_modules\/(amqplib|buffer-more-ints)\//, 'amqplib'],
  [/node_modules\/(pino|sonic-boom|thread-stream|fast-json-stringify)/, 'logging (pino)'],
  [/node_modules\/(prom-client|tdigest)\//, 'metrics (prom-client)'],
  [/node_modules\//, 'express, middy, jsonwebtoken, zod and other packages'],
];

const ourRoom = (url: string): string | undefined => /^.*\/((?:lib\/[a-z]+|functions|tools))(?=[/.])/.exec(url)?.[1];

/** Whose code it is. Code without a place is V8's own, which tells its name only. */
export const categoryOf = ({ functionName, url }: Frame): string => {
  if (functionName === '(idle)') return idle;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)' || functionName === '(root)') return 'native code (V8, libuv, system calls)';
  if (url.startsWith('node:')) return url.includes('crypto') ? "Node's crypto" : "Node's own (net, streams, timers)";
  const known = packages.find(([pattern]) => pattern.test(url));
  if (known) return known[1];
  const room = ourRoom(url);
  if (room) return `ours: ${room}`;
  if (/^(parse|stringify)$/.test(functionName)) return 'JSON';
  return 'native code (V8, libuv, system calls)';
};

const spentPerNode = ({ nodes, samples, timeDeltas }: CpuProfile): Spent[] => {
  const byId = new Map(nodes.map(({ id, callFrame }) => [id, { frame: callFrame, us: 0 }]));
  samples.forEach((id, index) => {
    const spent = byId.get(id);
    // A sample stands for the time up to the next one; the last stands for none.
    if (spent) spent.us += Math.max(0, timeDeltas[index + 1] ?? 0);
  });
  return [...byId.values()];
};

const placeOf = ({ functionName, url, lineNumber }: Frame): string => {
  const place = url.replace(
    url.includes('/node_modules/') ? /^.*?\/(?=node_modules\/)/ : /^.*\/(?=(lib|functions|tools)\/)/,
    '',
  );
  return `${functionName || '(anonymous)'} ${place}${place ? `:${lineNumber + 1}` : ''}`.trim();
};

const sumBy = (spent: Spent[], keyOf: (frame: Frame) => string): Map<string, Spent> => {
  const sums = new Map<string, Spent>();
  for (const { frame, us } of spent) {
    const key = keyOf(frame);
    const sum = sums.get(key) ?? { frame, us: 0 };
    sums.set(key, { frame: sum.frame, us: sum.us + us });
  }
  return sums;
};

/** Of several profiles together: two workers are one thing. */
export const summarise = (profiles: CpuProfile[]): Summary => {
  const spent = profiles.flatMap(spentPerNode);
  const categories = sumBy(spent, categoryOf);
  const idleUs = categories.get(idle)?.us ?? 0;
  categories.delete(idle);
  const sorted = [...categories].map(([name, { us }]): [string, number] => [name, us / 1_000]);
  sorted.sort(([, a], [, b]) => b - a);
  const functions = [...sumBy(spent, placeOf).values()].filter(({ frame }) => frame.url !== '');
  return {
    busyMs: sorted.reduce((sum, [, ms]) => sum + ms, 0),
    idleMs: idleUs / 1_000,
    categories: sorted,
    hottest: functions.sort((a, b) => b.us - a.us),
  };
};

const categoriesShown = 14;
const functionsShown = 12;

export const describeSummary = (name: string, { busyMs, idleMs, categories, hottest }: Summary): string => {
  const rows = categories.slice(0, categoriesShown).map(([category, ms]) => [category, shareOf(ms, busyMs)]);
  const functions = hottest
    .slice(0, functionsShown)
    .map(({ frame, us }) => [placeOf(frame), shareOf(us / 1_000, busyMs)]);
  return [
    `${name}: busy ${(busyMs / 1_000).toFixed(1)} s, idle ${(idleMs / 1_000).toFixed(1)} s; of the busy time`,
    table(rows),
    '  the functions with most time of their own',
    table(functions.map(([place, share]) => [`  ${place}`, share ?? ''])),
  ].join('\n');
};

export const readProfile = (file: string): CpuProfile => JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;

if (import.meta.main) stdout.write(`${describeSummary('profile', summarise(argv.slice(2).map(readProfile)))}\n`);
