/**
 * `npm run release`: builds and checks everything that a release needs. `--dry-run` looks only at the version, the change log and the
 * checkout, and prints the steps. `--tag` tags the commit when all of them have passed. It publishes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { parseArgs, styleText } from 'node:util';
import { execa } from 'execa';
import { parse } from 'yaml';
import { obstacles } from './release/obstacles.ts';
import { steps } from './release/steps.ts';
import { root, runTool } from './run-tool.ts';

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    tag: { type: 'boolean', default: false },
  },
});

const print = (line: string): void => void stdout.write(`${line}\n`);
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const git = async (...args: string[]): Promise<string> => (await execa('git', args, { cwd: root })).stdout;

const { version } = JSON.parse(read('package.json')) as { version: string };
const tag = `v${version}`;

const findObstacles = async (): Promise<string[]> =>
  obstacles({
    version,
    lockVersion: JSON.parse(read('package-lock.json')).version,
    chartVersion: parse(read('deploy/kubernetes/chart/Chart.yaml')).appVersion,
    changelog: read('CHANGELOG.md'),
    changedFiles: (await git('status', '--porcelain')).split('\n').flatMap((line) => line.slice(3) || []),
    tags: (await git('tag', '--list')).split('\n'),
  });

const runSteps = async (): Promise<void> => {
  for (const { title, command, output } of steps) {
    print(styleText('bold', `\n${title}: ${command.join(' ')}`));
    const [file = '', ...args] = command;
    const stdio = output ? (['ignore', 'pipe', 'inherit'] as const) : 'inherit';
    const { stdout: text } = await execa(file, args, { cwd: root, stdio });
    if (output) writeFileSync(join(root, output), String(text));
  }
};

await runTool(async () => {
  const found = await findObstacles();
  for (const obstacle of found) print(`- ${obstacle}`);
  if (values['dry-run']) for (const { title, command } of steps) print(`${title}: ${command.join(' ')}`);
  if (found.length > 0) throw new Error(`${tag} cannot be released: see the ${found.length} points above.`);
  if (values['dry-run']) return;
  await runSteps();
  if (values.tag) await git('tag', '--annotate', tag, '--message', `Lanekeeper ${version}`);
  print(`\n${tag} is ready: dist/lanekeeper-${version}.tgz and dist/sbom.json`);
  print(values.tag ? `Tagged. To publish the tag: git push origin ${tag}` : 'To tag it: npm run release -- --tag');
});
