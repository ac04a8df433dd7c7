/**
 * `npm run bench`: how many requests Lanekeeper does in a second, how soon a request starts, what each request costs the two
 * servers, what the bare servers do, and what logins cost other calls. `-- --logins` measures only the last. Starts everything it needs and leaves nothing behind. docs/performance.md explains
 * the figures.
 */
import { cpus, loadavg, totalmem } from 'node:os';
import process, { exit, stdout, version } from 'node:process';
import { parseArgs } from 'node:util';
import { measureBare } from './bench/bare.ts';
import { closedLoop, nowMs, openLoop } from './bench/load.ts';
import { measureBesideLogins } from './bench/logins.ts';
import { describeBare, describeBesideLogins, describeBurst, describeLatencies } from './bench/report.ts';
import { type BenchServers, startServers } from './bench/servers.ts';
import { startSystem } from './bench/system.ts';
import { measure, type Offer, type Send } from './bench/workload.ts';
import { runTool } from './run-tool.ts';

const users = 100;
const burst = { count: 10_000, inFlight: 64 };
/** For 10 s. */
const paced = { ratePerSecond: 200, count: 2_000 };
const inBursts: Offer = (call) => closedLoop(burst, (index) => call(index, nowMs()));
const atPace: Offer = (call) => openLoop(paced, call);

const say = (text: string): void => void stdout.write(`${text}\n`);

const describeMachine = ({ labels }: BenchServers): string => {
  const machine = `${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 1_024 ** 3)} GiB, Node ${version}`;
  return [
    `${machine}; load of the last minute ${loadavg()[0]?.toFixed(1)}`,
    ...labels,
    '100 users, 2 workers, a processor that does nothing; everything on this machine',
  ].join('\n');
};

const measureAll = async (servers: BenchServers): Promise<void> => {
  const bare = await measureBare(servers);
  say(`\n${describeBare(bare)}`);
  const system = await startSystem(servers);
  // By a call of the library in this process, and over HTTP to another process.
  const ways: [string, Send][] = [
    ['by calls', system.accept],
    ['over HTTP', system.post],
  ];
  try {
    for (const [how, send] of ways) {
      const measured = await measure({ count: users, warm: false, offer: inBursts }, send, system, servers);
      say(`\n${describeBurst(how, measured, bare)}`);
    }
    for (const [how, send] of ways) {
      const measured = await measure({ count: users, warm: true, offer: atPace }, send, system, servers);
      say(`\n${describeLatencies(`200/s ${how}`, measured)}`);
    }
  } finally {
    await system.stop();
  }
};

/** With the hashes that the product makes by default. */
const measureLogins = async (servers: BenchServers): Promise<void> => {
  const system = await startSystem(servers, { BCRYPT_COST: '', MAX_WAITING_HASHES: '' });
  try {
    say(`\n${describeBesideLogins(await measureBesideLogins(system))}`);
  } finally {
    await system.stop();
  }
};

await runTool(async () => {
  const { values } = parseArgs({ options: { logins: { type: 'boolean' } } });
  const servers = await startServers();
  const interrupt = () => void servers.stop().finally(() => exit(130));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    say(describeMachine(servers));
    if (!values.logins) await measureAll(servers);
    await measureLogins(servers);
  } finally {
    await servers.stop();
  }
});
