/** The figures as text. */
import type { BareFigures } from './bare.ts';
import type { Counts } from './counts.ts';
import { latency, rate, ratio, table, whole } from './figures.ts';
import type { BurstFigures, Latencies } from './workload.ts';

/** Less than one in a thousand requests is a sweep, a lease or a login. */
const worthTelling = 0.001;

const describeCounts = (counts: Counts): string =>
  Object.entries(counts)
    .filter(([, count]) => count >= worthTelling)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count.toFixed(3)}`)
    .join(', ');

const sum = (counts: Counts): number => Object.values(counts).reduce((total, count) => total + count, 0);

export const describeBare = ({ operations, loop, ...bare }: BareFigures): string => {
  const alone = `of ${whole(operations)}`;
  const inLoop = `of ${whole(loop.requests)} requests`;
  const rows = [
    ['insertOne', rate(bare.insertsPerSecond), alone],
    ['findOneAndUpdate', rate(bare.findAndUpdatesPerSecond), alone],
    ['updates in bulks of 100', rate(bare.bulkUpdatesPerSecond), alone],
    ['confirmed publishes', rate(bare.publishesPerSecond), alone],
    ['deliveries with ack', rate(bare.deliveriesPerSecond), alone],
    ['loop: accepted', rate(loop.acceptedPerSecond), inLoop],
    ['loop: end to end', rate(loop.endToEndPerSecond), inLoop],
  ];
  return `Bare servers, 64 in flight, each alone; then all in one loop, as a request needs them\n${table(rows)}`;
};

export const describeBurst = (how: string, burst: BurstFigures, bare: Pick<BareFigures, 'loop'>): string => {
  const { updates = 0, ...commands } = burst.statements;
  const requests = whole(burst.requests);
  const cutOff = burst.requests < burst.planned ? `, cut off: ${whole(burst.planned)} were planned` : '';
  const row = (name: string, value: number, base: number) => [name, rate(value), `of ${requests}`, ratio(value, base)];
  const rows = [
    row('accepted', burst.acceptedPerSecond, bare.loop.acceptedPerSecond),
    row('end to end', burst.endToEndPerSecond, bare.loop.endToEndPerSecond),
  ];
  return [
    `${requests} requests ${how}, 64 in flight${cutOff}; beside it the share of the bare loop`,
    table(rows),
    `  database statements a request: ${sum(commands).toFixed(2)} (${describeCounts(commands)}); updates in them ${updates.toFixed(2)}`,
    `  broker operations a request: ${sum(burst.brokerOperations).toFixed(2)} (${describeCounts(burst.brokerOperations)})`,
  ].join('\n');
};

export const describeLatencies = (how: string, latencies: Latencies): string =>
  [
    `${how}; ${latencies.dueToStarted.length} requests`,
    `  accepted to started   ${latency(latencies.acceptedToStarted)}`,
    `  due to started        ${latency(latencies.dueToStarted)}`,
    `  due to answered       ${latency(latencies.dueToAnswered)}`,
  ].join('\n');
