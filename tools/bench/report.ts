/** The figures as text. */
import type { BareFigures } from './bare.ts';
import type { Counts } from './counts.ts';
import { latency, rate, ratio, table } from './figures.ts';
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

export const describeBare = (bare: BareFigures): string => {
  const rows = [
    ['insertOne', rate(bare.insertsPerSecond)],
    ['findOneAndUpdate', rate(bare.findAndUpdatesPerSecond)],
    ['updates in bulks of 100', rate(bare.bulkUpdatesPerSecond)],
    ['confirmed publishes', rate(bare.publishesPerSecond)],
    ['deliveries with ack', rate(bare.deliveriesPerSecond)],
    ['loop: accepted', rate(bare.loop.acceptedPerSecond)],
    ['loop: end to end', rate(bare.loop.endToEndPerSecond)],
  ];
  return `Bare servers, 64 in flight, each alone; then all in one loop, as a request needs them\n${table(rows)}`;
};

export const describeBurst = (how: string, burst: BurstFigures, bare: BareFigures): string => {
  const { updates = 0, ...commands } = burst.statements;
  const rows = [
    ['accepted', rate(burst.acceptedPerSecond), ratio(burst.acceptedPerSecond, bare.loop.acceptedPerSecond)],
    ['end to end', rate(burst.endToEndPerSecond), ratio(burst.endToEndPerSecond, bare.loop.endToEndPerSecond)],
  ];
  return [
    `${burst.requests.toLocaleString('en-US')} requests ${how}, 64 in flight; beside it the share of the bare loop`,
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
