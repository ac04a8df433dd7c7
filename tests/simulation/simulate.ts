/** `npm run simulate -- --runs N [--seed S] [--path P] [--break NAME]`: the simulation, until a promise is broken. */
import { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { breaks } from './breaks.ts';
import { type CampaignResult, runCampaign } from './campaign.ts';
import { simulate } from './run.ts';

const progressEvery = 1_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    break: { type: 'string' },
  },
});
const say = (line: string) => stdout.write(`${line}\n`);

const runs = Number(values.runs);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const broken = values.break === undefined ? undefined : breaks.find(({ name }) => name === values.break);
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed) || (values.break !== undefined && !broken)) {
  say(`--runs and --seed take whole numbers, --break one of: ${breaks.map(({ name }) => name).join(', ')}`);
  exit(2);
}

const tellFailure = async ({ failure }: CampaignResult): Promise<void> => {
  if (!failure) return;
  const { scenario, result, path } = failure;
  for (const { kind, userId, seq, detail } of result.violations) say(`${kind}: ${userId} ${seq ?? ''} ${detail}`);
  say(`the scenario, made small: ${JSON.stringify(scenario, undefined, 1)}`);
  say('what happened in it, step by step:');
  await simulate(scenario, { broken, trace: (process, what) => say(`  ${process.padEnd(8)} ${what}`) });
  const breaking = broken ? ` --break ${broken.name}` : '';
  say(`again: npm run simulate -- --runs ${runs} --seed ${seed} --path ${path ?? ''}${breaking}`);
};

say(`seed ${seed}, ${runs} runs${broken ? `, with ${broken.name} broken: ${broken.what}` : ''}`);
const onRun = (done: number) => {
  if (done % progressEvery === 0) say(`${done} runs`);
};
const result = await runCampaign({ runs, seed, path: values.path, broken, onRun });
const rate = Math.round((60 * result.runs) / result.seconds);
say(
  `${result.runs} runs in ${result.seconds.toFixed(1)} s, ${rate} a minute: ${result.failure ? 'a promise is broken' : 'every promise kept'}`,
);
await tellFailure(result);
// A broken protocol must be caught, a whole one must hold.
exit((result.failure === undefined) === (broken === undefined) ? 0 : 1);
