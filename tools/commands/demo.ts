/**
 * `lanekeeper demo`: users send bursts to the API of a running `npm start`. The terminal shows how they advance side by side; at
 * the end the ledger shows whether every guarantee was kept. Ends with 1 when one was not.
 */
import { randomBytes } from 'node:crypto';
import process, { env, exit, stdout } from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { CallError, callApi } from '../api-client.ts';
import { createDisplay } from '../demo/progress.ts';
import { collect, connectUser, runBurst } from '../demo/scenario.ts';
import { describeVerdict, judge } from '../demo/verdict.ts';
import { runTool } from '../run-tool.ts';

const names = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gwen', 'hugo', 'ida', 'jon', 'kim', 'leo'];

/** Reads an option that is a number. */
const count =
  (min: number, max: number) =>
  (text: string): number => {
    if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };

const say = (line: string): void => void stdout.write(`${line}\n`);

const checkApi = (apiUrl: string): Promise<unknown> =>
  callApi(apiUrl, 'GET /health').catch((error) => {
    if (!(error instanceof CallError) || error.status !== undefined) throw error;
    throw new Error(
      `${error.message} Start it in another terminal (npm start, or lanekeeper dev), or set LANEKEEPER_API.`,
    );
  });

/** As people type it where they are. */
const operatorCommand = (): string =>
  env.npm_lifecycle_event === 'demo' ? 'npm run operator --' : 'npx lanekeeper operator';

const demo = async ({ users: wanted, requests }: { users: number; requests: number }): Promise<number> => {
  const chosen = names.slice(0, wanted);
  // Its own name is the older one.
  const apiUrl = env.LANEKEEPER_API || 'http://localhost:3000';
  await checkApi(apiUrl);
  say(`${chosen.length} users register at ${apiUrl} and log in.`);
  const tag = randomBytes(3).toString('hex');
  const users = await Promise.all(chosen.map((name) => connectUser(apiUrl, `${name}-${tag}`, requests)));
  say(`Watch them at ${apiUrl}/console, as an operator: ${operatorCommand()} --create NAME makes you one.`);
  say(`Each user sends ${requests} requests at once.  █ settled  ▒ accepted  ░ not sent yet\n`);
  const startedAt = performance.now();
  const allProgress = users.map(({ progress }) => progress);
  const display = createDisplay(stdout, allProgress);
  // The display has its own listener before this one, which gives the terminal its cursor back.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => exit(130));
  await Promise.all(users.map((user) => runBurst(user, display.show)));
  display.end();
  const seconds = (performance.now() - startedAt) / 1_000;
  say('\nNow the demo reads the whole ledger, disconnects all users and waits for the end of their queues.\n');
  const histories = await Promise.all(users.map(collect));
  const verdict = judge(histories);
  say(describeVerdict(histories, verdict, seconds));
  return verdict.kept ? 0 : 1;
};

export const command = (): Command =>
  new Command()
    .option('--users <number>', `2 to ${names.length}`, count(2, names.length), 8)
    .option('--requests <number>', 'requests of each user, 1 to 5000', count(1, 5_000), 150)
    .addHelpText('after', '\nLANEKEEPER_API names the API; the default is http://localhost:3000.')
    .action((options) => runTool(() => demo(options)));
