/**
 * `npm run simulate -- [--runs N] [--seed S] [--path P] [--break NAME|all] [--scenario FILE]` simulates until a
 * guarantee is violated. `--scenario` replays one scenario that an earlier failure printed.
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
const print = (line: string) => stdout.write(`${line}\n`);
const progressEveryMs = 5_000;
const maxResultLength = 160;

const runs = Number(values.runs);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const broken = breaks.filter(({ name }) => values.break === 'all' || values.break === name);
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed) || (values.break && broken.length === 0)) {
  print('--runs must be a positive integer and --seed an integer.');
  print(`--break must be one of: all, ${breaks.map(({ name }) => name).join(', ')}.`);
  exit(2);
}

/** Frequent steps that explain nothing. */
const isNoise = (what: string): boolean =>
  /^(workers\.report|userQueues\.dropExpiredSessions|connect|count |ack )/.test(what);

const shortly = (result: unknown): string => {
  if (result === undefined) return '';
  if (result instanceof Error) return `!! ${result.message}`;
  const text = JSON.stringify(result instanceof Map ? [...result] : result);
  return text.length > maxResultLength ? `${text.slice(0, maxResultLength)}…` : text;
};

const traceLine: Trace = (process, what, result, ms) => {
  if (!isNoise(what)) print(`  ${ms.toFixed(0).padStart(6)} ms  ${process.padEnd(18)} ${what} ${shortly(result)}`);
};

const printViolations = (violations: Violation[]): void => {
  for (const { kind, userId, seq, detail } of violations) {
    print(`  ${[kind, userId, seq].filter((part) => part !== undefined).join(' ')}: ${detail}`);
  }
};

const replay = async (scenario: Scenario, breaking?: Break): Promise<Violation[]> => {
  print('steps:');
  const { violations } = await simulate(scenario, { broken: breaking, trace: traceLine });
  print(violations.length === 0 ? 'every guarantee kept' : 'violated guarantees:');
  printViolations(violations);
  return violations;
};

const reportFailure = async ({ failure }: CampaignResult, breaking?: Break): Promise<void> => {
  if (!failure) return;
  print(`the smallest failing scenario (for --scenario): ${JSON.stringify(failure.scenario)}`);
  await replay(failure.scenario, breaking);
  const options = `--runs ${runs} --seed ${seed} --path ${failure.path ?? ''}${breaking ? ` --break ${breaking.name}` : ''}`;
  print(`replay: npm run simulate -- ${options}`);
};

/** Prints for each break by which violation it was detected, after how many runs and seconds. */
const reportBreaks = async (): Promise<boolean> => {
  let missed = 0;
  for (const one of broken) {
    const found = await runCampaign({ runs: one.withinRuns, seed, broken: one, shrink: false });
    const kinds = [...new Set(found.failure?.result.violations.map(({ kind }) => kind))];
    if (kinds.length === 0) missed += 1;
    const violations = kinds.length > 0 ? kinds.join(', ') : 'NOT DETECTED';
    const effort = `${found.runs} runs, ${found.seconds.toFixed(1)} s`;
    print(`${one.name.padEnd(19)} ${violations.padEnd(48)} ${effort}  (${one.what})`);
  }
  return missed === 0;
};

const campaign = async (breaking?: Break): Promise<boolean> => {
  print(`seed ${seed}, ${runs} runs${breaking ? `, break ${breaking.name}: ${breaking.what}` : ''}`);
  const startedAt = performance.now();
  let printedAt = startedAt;
  let steps = 0;
  const onRun = (done: number, result: { steps: number }) => {
    steps += result.steps;
    const now = performance.now();
    if (now - printedAt < progressEveryMs) return;
    printedAt = now;
    print(`${done} runs, ${Math.round((1_000 * done) / (now - startedAt))} per second`);
  };
  const result = await runCampaign({ runs, seed, path: values.path, broken: breaking, onRun });
  const rate = Math.round((60 * result.runs) / result.seconds);
  const found = result.failure ? 'a guarantee is violated' : 'every guarantee kept';
  print(`${result.runs} runs, ${steps} steps in ${result.seconds.toFixed(1)} s, ${rate} runs per minute: ${found}`);
  await reportFailure(result, breaking);
  // A break must be detected. Without a break, every guarantee must be kept.
  return (result.failure === undefined) === (breaking === undefined);
};

const runAll = async (): Promise<boolean> => {
  if (values.scenario) return (await replay(JSON.parse(readFileSync(values.scenario, 'utf8')), broken[0])).length === 0;
  return values.break === 'all' ? reportBreaks() : campaign(broken[0]);
};

exit((await runAll()) ? 0 : 1);
