/** `lanekeeper dev ./processor.ts`: servers, API and consumer, until Ctrl-C. An edit of the processor replaces the workers. */
import { existsSync, statSync } from 'node:fs';
import { cwd, env } from 'node:process';
import { Command } from 'commander';
import { runTool } from '../run-tool.ts';

type Options = { watch?: string[]; yes: boolean; verbose: boolean; json: boolean };

const usual = ['processor.ts', 'processor.js', 'src/processor.ts', 'src/processor.js'];

/** @throws {Error} when there is none. */
const processorNamed = (given: string | undefined): string => {
  const found = given ?? (env.PROCESSOR || usual.find((file) => existsSync(file)));
  if (!found) throw new Error('Which processor? lanekeeper dev ./processor.ts (lanekeeper init writes one)');
  const isPath = /^\.{0,2}\//.test(found) || /\.[cm]?[jt]s$/.test(found);
  if (isPath && !existsSync(found)) throw new Error(`There is no file ${found} in ${cwd()}.`);
  return found;
};

const dev = async (given: string | undefined, { watch, ...options }: Options): Promise<void> => {
  const { runStart } = await import('../start/run.ts');
  const { projectOf } = await import('../start/watch-code.ts');
  const processor = processorNamed(given);
  const isFile = existsSync(processor) && statSync(processor).isFile();
  const folders = [...(isFile ? [projectOf(processor)] : []), ...(watch ?? [])];
  // One worker is replaced sooner than several, and by a spare process sooner than by a new one.
  const devEnv = { ...env, PROCESSOR: processor, WORKERS: env.WORKERS || '1', SPARE_WORKERS: env.SPARE_WORKERS || '1' };
  await runStart({ command: 'lanekeeper dev', folder: cwd(), env: devEnv, watch: folders, ...options });
};

export const command = (): Command =>
  new Command()
    .argument('[processor]', 'a file or a package; PROCESSOR, or ./processor.ts, by default')
    .option(
      '--watch <folder>',
      'a further folder whose edits reload the processor; may be repeated',
      (folder, before: string[] | undefined) => [...(before ?? []), folder],
    )
    .option('--yes', 'install or download what is missing without asking', false)
    .option('--verbose', 'show everything that the processes print', false)
    .option('--json', 'print JSON lines', false)
    .action((processor, options) => runTool(() => dev(processor, options)));
