/** The package, built, packed and installed with its production dependencies into a project of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { arch, env, execPath, platform } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../../support/world.ts';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

/** The older Node of the package's `engines`, which npm has for Linux. */
const olderNode = '22.23.5';

type RunOptions = { cwd?: string; env?: NodeJS.ProcessEnv };

/** Resolves with what the command printed. Rejects with it too, unless it exits with 0. The checkout's tools are in its PATH. */
export const run = async (file: string, args: string[], options: RunOptions = {}): Promise<string> => {
  const path = `${bin}${delimiter}${env.PATH}`;
  try {
    const done = await promisify(execFile)(file, args, { ...options, env: { ...env, PATH: path, ...options.env } });
    return done.stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
};

const install = (folder: string, what: string) =>
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', what], { cwd: folder });

/** `staged` is what is published, `project` the project that has it installed. `tool` of tools/ builds it. */
export const installPackage = async (files: Record<string, string>, tool = 'package.ts') => {
  const folder = await mkdtemp(join(tmpdir(), 'lanekeeper-package-'));
  const [staged, project] = [join(folder, 'staged'), join(folder, 'project')];
  await run(execPath, [join(root, 'tools', tool), staged]);
  await run('npm', ['pack', '--pack-destination', folder], { cwd: staged });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  await mkdir(project);
  for (const [name, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files }))
    await writeFile(join(project, name), text);
  await install(project, join(folder, tarball));
  // TypeScript looks above the project too; there they do not count for its size.
  await mkdir(join(folder, 'node_modules', '@types'), { recursive: true });
  await symlink(join(root, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'));
  return { folder, staged, project, remove: () => rm(folder, { recursive: true, force: true }) };
};

export const hasOlderNode = platform === 'linux' && ['x64', 'arm64'].includes(arch);

/** The path of the older Node, installed apart from the project. */
export const installOlderNode = async (folder: string): Promise<string> => {
  const place = join(folder, 'older-node');
  await mkdir(place);
  await writeFile(join(place, 'package.json'), '{}');
  await install(place, `node-linux-${arch}@${olderNode}`);
  return join(place, 'node_modules', '.bin', 'node');
};

type LogLine = Record<string, unknown> & { msg?: string };

export type Started = AsyncDisposable & {
  /** Waits for the line of the log with this message. */
  logged(msg: string): Promise<LogLine>;
};

/** The command of a project that has the package. */
export const commandOf = (project: string): string => join(project, 'node_modules', '.bin', 'lanekeeper');

export type Start = { node: string; script: string; cwd: string };

/** Starts `lanekeeper COMMAND`. It is stopped as a deployment stops it, and must end with 0. */
export const startCommand = ({ node, script, cwd }: Start, command: string, settings: NodeJS.ProcessEnv): Started => {
  const child: ChildProcess = spawn(node, [script, command], {
    cwd,
    env: { PATH: env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const lines: LogLine[] = [];
  for (const stream of [child.stdout!, child.stderr!])
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line);
      if (line.startsWith('{')) lines.push(JSON.parse(line));
    });
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return {
    logged: async (msg) => {
      const found = () => lines.find((line) => line.msg === msg) ?? (child.exitCode === null ? undefined : {});
      const line = await eventually(`${command} logs "${msg}"`, found, 60_000).catch((error: Error) => error);
      if (line instanceof Error || !line.msg) throw new Error(`lanekeeper ${command}:\n${output.join('\n')}`);
      return line;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      const code = await exited;
      if (code !== 0) throw new Error(`lanekeeper ${command} ended with ${code}:\n${output.join('\n')}`);
    },
  };
};
