/**
 * `npm run demo`: users send bursts to the API of a running `npm start`; the terminal shows how they advance side by side;
 * the ledger shows whether every promise was kept. Ends with 1 when one was not.
 */
import { randomBytes } from 'node:crypto';
import process, { env, exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { checkApi, UnreachableError } from './demo/client.ts';
import { createDisplay, type Display } from './demo/display.ts';
import { describeVerdict } from './demo/report.ts';
import { collect, connectAll, type Plan, runBursts } from './demo/scenario.ts';
import { judge } from './demo/verdict.ts';

const names = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gwen', 'hugo', 'ida', 'jon', 'kim', 'leo'];

const usage = `Usage: npm run demo [-- --users 2..${names.length} --requests 1..5000]
API_URL names the API; the default is http://localhost:3000.`;

const count = (text: string, min: number, max: number): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) throw new Error(usage);
  return value;
};

const readPlan = (): Plan => {
  const users = { type: 'string', default: '8' } as const;
  const requests = { type: 'string', default: '150' } as const;
  const { values } = parseArgs({ options: { users, requests } });
  const tag = randomBytes(3).toString('hex');
  return {
    apiUrl: env.API_URL || 'http://localhost:3000',
    usernames: names.slice(0, count(values.users, 2, names.length)).map((name) => `${name}-${tag}`),
    requests: count(values.requests, 1, 5_000),
  };
};

const say = (line: string): void => void stdout.write(`${line}\n`);

/** Ctrl-C must not leave the terminal without a cursor. */
const endOnInterrupt = (display: Display): void => {
  process.once('SIGINT', () => {
    display.end();
    exit(130);
  });
};

const run = async (): Promise<boolean> => {
  const plan = readPlan();
  await checkApi(plan.apiUrl);
  say(`${plan.usernames.length} users register at ${plan.apiUrl} and log in.`);
  const users = await connectAll(plan);
  say(`Each sends ${plan.requests} requests, all at once.  █ settled  ▒ accepted  ░ not sent yet\n`);
  const display = createDisplay(
    stdout,
    users.map(({ progress }) => progress),
  );
  endOnInterrupt(display);
  const startedAt = performance.now();
  await runBursts(users, display);
  const seconds = (performance.now() - startedAt) / 1_000;
  display.end();
  say('\nReading the whole ledger over GET /requests, disconnecting, and waiting for the queues to go.\n');
  const histories = await Promise.all(users.map(collect));
  const verdict = judge(histories);
  say(describeVerdict(histories, verdict, seconds));
  return verdict.kept;
};

try {
  exit((await run()) ? 0 : 1);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  if (error instanceof UnreachableError) say('Is it running? Start it with "npm start" in another terminal.');
  exit(1);
}
