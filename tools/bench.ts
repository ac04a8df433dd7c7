/**
 * `npm run bench`: what Lanekeeper does in a second, how soon a request starts, what each costs the two servers, what the bare
 * servers give to the same operations, and where the time goes. Starts everything it needs and leaves nothing behind.
 * What the figures mean stands in docs/performance.md.
 */
import { cpus, loadavg, totalmem } from 'node:os';
import process, { exit, stderr, stdout, version } from 'node:process';
import { measureBare } from './bench/bare.ts';
import { createPost } from './bench/http-load.ts';
import { describeSummary, summarise } from './bench/profile.ts';
import { profileOptions, recordWhile } from './bench/profiling.ts';
import { describeBare, describeBurst, describeLatencies } from './bench/report.ts';
import { type BenchServers, startServers } from './bench/servers.ts';
import { startSystem } from './bench/system.ts';
import { type Burst, runBurst, runPaced, type Send } from './bench/workload.ts';

const burst: Burst = { users: 100, requestsEach: 100, inFlight: 64, limitMs: 90_000 };
/** 10 s of it. */
const paced = { ratePerSecond: 200, count: 2_000 };
/** The profiler costs some of the speed, so what it sees is not what is timed. */
const profiled: Burst = { ...burst, requestsEach: 30, limitMs: 10_000 };

const say = (text: string): void => void stdout.write(`${text}\n`);

const describeMachine = (servers: BenchServers): string => {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 1_024 ** 3);
  const load = loadavg()[0]?.toFixed(1);
  return [
    `${cpus().length} x ${cpu?.model}, ${memory} GiB, Node ${version}; load of the last minute ${load}`,
    ...servers.labels,
    '100 users, 2 workers, a processor that does nothing; everything on this machine',
  ].join('\n');
};

/** Both ways to enqueue: by a call of the library in this process, and over HTTP to a process of its own. */
const waysToSend = (system: Awaited<ReturnType<typeof startSystem>>) => {
  const { post, close } = createPost(system.apiUrl, burst.inFlight);
  const byCall: Send = async (user, body) => void (await system.accept(user, body));
  const overHttp: Send = ({ token }, body) => post(token, `{"request":${body}}`);
  return { byCall, overHttp, close };
};

const measure = async (servers: BenchServers): Promise<void> => {
  const bare = await measureBare(servers);
  say(`\n${describeBare(bare)}`);
  const system = await startSystem(servers, 'measured');
  const ways = waysToSend(system);
  try {
    const calls = await runBurst(burst, ways.byCall, system, servers);
    say(`\n${describeBurst('by calls', calls, bare)}`);
    const http = await runBurst(burst, ways.overHttp, system, servers);
    say(`\n${describeBurst('over HTTP', http, bare)}`);
    const pacedCalls = await runPaced(paced, burst.users, ways.byCall, system);
    say(`\n${describeLatencies('200/s by calls', pacedCalls)}`);
    const pacedHttp = await runPaced(paced, burst.users, ways.overHttp, system);
    say(`\n${describeLatencies('200/s over HTTP', pacedHttp)}`);
  } finally {
    ways.close();
    await system.stop();
  }
};

const profile = async (servers: BenchServers): Promise<void> => {
  const system = await startSystem(servers, 'profiled', profileOptions);
  const ways = waysToSend(system);
  try {
    const pids = [system.apiPid, ...(await system.workerPids())];
    const [api, ...workers] = await recordWhile(servers.folder, pids, () =>
      runBurst(profiled, ways.overHttp, system, servers),
    );
    say(`\n${describeSummary('API process over HTTP', summarise(api ? [api] : []))}`);
    say(`\n${describeSummary('Both workers', summarise(workers))}`);
  } finally {
    ways.close();
    await system.stop();
  }
};

const run = async (): Promise<void> => {
  const servers = await startServers();
  const interrupt = () => void servers.stop().finally(() => exit(130));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    say(describeMachine(servers));
    await measure(servers);
    await profile(servers);
  } finally {
    await servers.stop();
  }
};

try {
  await run();
  exit(0);
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(1);
}
