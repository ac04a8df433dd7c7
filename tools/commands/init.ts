/** `lanekeeper init [folder]`: a small project with a processor, its test, and what its containers need. */
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { cwd, stdout } from 'node:process';
import { Command } from 'commander';
import { nodeVersions } from '../node-versions.ts';
import { root, runTool } from '../run-tool.ts';

/** npm would leave a .gitignore out of the package, and take a package.json of a folder for one of its own. */
const templates = ['package.json', 'tsconfig.json', 'processor.ts', 'processor.test.ts', 'README.md'].concat([
  'Dockerfile',
  'docker-compose.yml',
  '.gitignore',
  '.dockerignore',
]);

const templateOf = (file: string): string => join(root, 'tools', 'init', `${file.replace(/^\./, '')}.template`);

/** A name that npm accepts. */
const packageName = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'processor';

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** @throws {Error} when a file of the project exists: then nothing is written. */
const writeProject = (folder: string): void => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const values: Record<string, string> = { name: packageName(folder), version, node: nodeVersions };
  const taken = templates.filter((file) => exists(join(folder, file)));
  if (taken.length > 0) {
    const are = taken.length === 1 ? 'exists' : 'exist';
    throw new Error(
      `Nothing was written: ${taken.join(', ')} already ${are} in ${folder}.\nChoose another folder: lanekeeper init my-project`,
    );
  }
  mkdirSync(folder, { recursive: true });
  for (const file of templates) {
    const text = readFileSync(templateOf(file), 'utf8').replace(
      /\{\{(\w+)\}\}/g,
      (_, key: string) => values[key] ?? '',
    );
    writeFileSync(join(folder, file), text, { flag: 'wx' });
  }
};

const init = async (given: string): Promise<void> => {
  const folder = resolve(given);
  if (exists(folder) && !lstatSync(folder).isDirectory()) throw new Error(`${folder} is not a folder.`);
  writeProject(folder);
  const path = relative(cwd(), folder);
  stdout.write(`A project is in ${folder}: ${templates.join(', ')}\n\nNext:\n`);
  for (const step of [...(path ? [`cd ${path}`] : []), 'npm i', 'npx lanekeeper dev ./processor.ts', 'npm test'])
    stdout.write(`  ${step}\n`);
};

export const command = (): Command =>
  new Command()
    .argument('[folder]', 'where to write it; it is created when it is missing', '.')
    .action((folder) => runTool(() => init(folder)));
