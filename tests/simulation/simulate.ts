/**
 * `npm run simulate -- [--runs N] [--seed S] [--path P] [--break NAME|all] [--scenario FILE]`: the simulation, until a
 * promise is broken. `--scenario` replays one scenario, as an earlier failure printed it.
 */
import { readFileSync } from 'node:fs';
import { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { type Break, breaks } from './breaks.ts';
import { type CampaignResult, runCampaign } from './campaign.ts';
import { simulate } from './run.ts';
import type { Scenario } from './scenario.ts';
import type { Violation } from './verdict.ts';
import type { Trace } from './world.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    break: { type: 'string' },
    scenario: { type: 'string' },
  },
});
const say = (line: string) => stdout.write(`${line}\n`);
const progressEveryMs = 5_000;
const longestResult = 160;

const runs = Number(values.runs);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const broken = breaks.filter(({ name }) => values.break === 'all' || values.break === name);
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed) || (values.break && broken.length === 0)) {
  say(`--runs and --seed take whole numbers, --break one of: all, ${breaks.map(({ name }) => name).join(', ')}`);
  exit(2);
}

/** What happens all the time and says nothing. */
const isNoise = (what: string): boolean =>
  /^(workers\.report|userQueues\.dropExpiredSessions|connect|count |ack )/.test(what);

const shortly = (result: unknown): string => {
  if (result === undefined) return '';
  if (result instanceof Error) return `!! ${result.message}`;
  const text = JSON.stringify(result instanceof Map ? [...result] : result);
  return text.length > longestResult ? `${text.slice(0, longestResult)}…` : text;
};

const traceLine: Trace = (process, what, result, ms) => {
  if (!isNoise(what)) say(`  ${ms.toFixed(0).padStart(6)} ms  ${process.padEnd(18)} ${what} ${shortly(result)}`);
};

const sayViolations = (violations: Violation[]): void => {
  for (const { kind, userId = '', seq = '', detail } of violations) say(`  ${kind} ${userId} ${seq}: ${detail}`);
};

const replay = async (scenario: Scenario, breaking?: Break): Promise<Violation[]> => {
  say('step by step:');
  const { violations } = await simulate(scenario, { broken: breaking, trace: traceLine });
  say(violations.length === 0 ? 'every promise kept' : 'broken promises:');
  sayViolations(violations);
  return violations;
};

const tellFailure = async ({ failure }: CampaignResult, breaking?: Break): Promise<void> => {
  if (!failure) return;
  say(`the scenario, made small (for --scenario): ${JSON.stringify(failure.scenario)}`);
  await replay(failure.scenario, breaking);
  const options = `--runs ${runs} --seed ${seed} --path ${failure.path ?? ''}${breaking ? ` --break ${breaking.name}` : ''}`;
  say(`again: npm run simulate -- ${options}`);
};

/** What is broken, by which violation it was caught, after how many runs and seconds. */
const tellBreaks = async (): Promise<boolean> => {
  let missed = 0;
  for (const one of broken) {
    const found = await runCampaign({ runs: one.withinRuns, seed, broken: one, shrink: false });
    const kinds = [...new Set(found.failure?.result.violations.map(({ kind }) => kind))];
    if (kinds.length === 0) missed += 1;
    const caught = kinds.length > 0 ? kinds.join(', ') : 'NOT CAUGHT';
    say(`${one.name.padEnd(16)} ${caught.padEnd(48)} ${found.runs} runs, ${found.seconds.toFixed(1)} s  (${one.what})`);
  }
  return missed === 0;
};

const campaign = async (breaking?: Break): Promise<boolean> => {
  say(`seed ${seed}, ${runs} runs${breaking ? `, with ${breaking.name} broken: ${breaking.what}` : ''}`);
  const startedAt = performance.now();
  let toldAt = startedAt;
  let steps = 0;
  const onRun = (done: number, result: { steps: number }) => {
    steps += result.steps;
    const now = performance.now();
    if (now - toldAt < progressEveryMs) return;
    toldAt = now;
    say(`${done} runs, ${Math.round((1_000 * done) / (now - startedAt))} a second`);
  };
  const result = await runCampaign({ runs, seed, path: values.path, broken: breaking, onRun });
  const rate = Math.round((60 * result.runs) / result.seconds);
  const found = result.failure ? 'a promise is broken' : 'every promise kept';
  say(`${result.runs} runs, ${steps} steps in ${result.seconds.toFixed(1)} s, ${rate} runs a minute: ${found}`);
  await tellFailure(result, breaking);
  // A broken protocol must be caught, a whole one must hold.
  return (result.failure === undefined) === (breaking === undefined);
};

const runAll = async (): Promise<boolean> => {
  if (values.scenario) return (await replay(JSON.parse(readFileSync(values.scenario, 'utf8')), broken[0])).length === 0;
  return values.break === 'all' ? tellBreaks() : campaign(broken[0]);
};

exit((await runAll()) ? 0 : 1);
