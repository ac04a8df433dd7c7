/** The figures as text. */
import { type BareRates, operations } from './bare.ts';
import type { Counts } from './counts.ts';
import type { BesideLogins } from './logins.ts';
import type { Measured } from './workload.ts';

/** The value that `share` (0 to 1) of the values do not exceed: the nearest rank, so always a measured value. */
export const percentile = (values: number[], share: number): number => {
  const rank = Math.max(1, Math.ceil(share * values.length));
  return values.toSorted((a, b) => a - b)[rank - 1] ?? Number.NaN;
};

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

const row = (name: string, text: string): string => `  ${name.padEnd(20)} ${text}`;

/** Fewer than one in a thousand requests: a sweep, a lease or a login. */
const leastShown = 0.001;

/** The sum, and the counts from the largest to the smallest. */
const describeCounts = (counts: Counts): string => {
  const shown = Object.entries(counts).filter(([, count]) => count >= leastShown);
  const sum = Object.values(counts).reduce((total, count) => total + count, 0);
  const texts = shown.sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count.toFixed(3)}`);
  return `${sum.toFixed(2)} (${texts.join(', ')})`;
};

export const describeBare = (rates: BareRates): string =>
  [
    `Bare servers, 64 in flight, ${whole(operations)} operations of each kind`,
    ...Object.entries(rates).map(([name, rate]) => row(name, `${whole(rate)}/s`)),
  ].join('\n');

export const describeBurst = (
  how: string,
  { startedAt, calls, statements, brokerOperations }: Measured,
  bare: BareRates,
): string => {
  const requests = whole(calls.length);
  const rate = (endedAt: number): string => {
    const perSecond = (calls.length * 1_000) / (endedAt - startedAt);
    return `${whole(perSecond)}/s of ${requests}, ${(perSecond / bare['all three']).toFixed(2)} of the bare servers`;
  };
  const { updates = 0, ...commands } = statements;
  return [
    `${requests} requests ${how}, 64 in flight`,
    row('accepted', rate(Math.max(...calls.map(({ answeredAt }) => answeredAt)))),
    row('end to end', rate(Math.max(...calls.map(({ settledAt }) => settledAt)))),
    row('database statements', `${describeCounts(commands)} per request, with ${updates.toFixed(2)} updates in them`),
    row('broker operations', `${describeCounts(brokerOperations)} per request`),
  ].join('\n');
};

export const describeLatencies = (how: string, { calls }: Measured): string => {
  const latency = (name: string, of: (call: Measured['calls'][number]) => number): string => {
    const p = (share: number) => `${percentile(calls.map(of), share).toFixed(1)} ms`;
    return row(name, `p50 ${p(0.5)}, p99 ${p(0.99)}`);
  };
  return [
    `${how}; ${whole(calls.length)} requests`,
    latency('accepted to started', ({ acceptedAt, runAt }) => runAt - acceptedAt),
    latency('due to started', ({ dueAt, runAt }) => runAt - dueAt),
    latency('due to answered', ({ dueAt, answeredAt }) => answeredAt - dueAt),
  ].join('\n');
};

export const describeBesideLogins = ({ quiet, beside, concurrentLogins, logins }: BesideLogins): string => {
  const latency = (latencies: number[]): string => {
    const p = (share: number) => `${percentile(latencies, share).toFixed(1)} ms`;
    return `p50 ${p(0.5)}, p99 ${p(0.99)} of ${whole(latencies.length)}`;
  };
  const ratio = percentile(beside, 0.99) / percentile(quiet, 0.99);
  return [
    'Enqueue over HTTP at 50/s, due to answered',
    row('without logins', latency(quiet)),
    row(`${concurrentLogins} logins at once`, `${latency(beside)}; ${whole(logins)} logins answered meanwhile`),
    row('p99 grows', `${ratio.toFixed(1)} times`),
  ].join('\n');
};
