/** Runs spin, gcc and the verifier that they make, in a new folder under `.build/`. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const model = join(import.meta.dirname, 'lane.pml');

/** One configuration of `lane.pml`: the functions, the faults and the broken rule, as macros. */
export type Configuration = { title: string; defines: string[] };

export type Bound = {
  /** For tiny searches `-O0` is faster, because compiling takes longer than searching. */
  optimize: '-O0' | '-O1' | '-O2';
  /** The logarithm to base 2 of the number of slots in the hash table. */
  hashBits: number;
  memoryMiB: number;
  timeoutMs: number;
};

export type Result = {
  /** `unfinished`: the search ran out of time, memory or depth before it had seen every state. */
  outcome: 'holds' | 'violated' | 'unfinished';
  states: number;
  seconds: number;
  /** The violated assertion, as spin prints it. */
  assertion?: string;
  /** The steps that lead to the violation, one per line. */
  steps: string[];
};

/** Runs a command and returns its output, also when it fails. */
const attempt = async (
  command: string,
  args: string[],
  cwd: string,
  timeoutMs = 60_000,
): Promise<{ ok: boolean; output: string }> => {
  try {
    const { stdout, stderr } = await execute(command, args, { cwd, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    return { ok: false, output: `${stdout}${stderr}\n${message}` };
  }
};

const runOrThrow = async (command: string, args: string[], cwd: string): Promise<void> => {
  const { ok, output } = await attempt(command, args, cwd);
  if (!ok || /Error:/.test(output)) throw new Error(`${command} rejected the model:\n${output}`);
};

const packages = ['spin', 'gcc', 'libc6-dev'];

/**
 * Makes sure that spin and gcc are installed. As root on Debian or Ubuntu, it installs them.
 *
 * @throws {Error} When they are missing. The message says what to install.
 */
export const ensureSpin = async (): Promise<void> => {
  const areInstalled = async () =>
    (await attempt('spin', ['-V'], root)).ok && (await attempt('gcc', ['--version'], root)).ok;
  if (await areInstalled()) return;
  if (process.getuid?.() === 0) {
    process.stdout.write(`The model needs spin and gcc. Installing ${packages.join(', ')} with apt-get...\n`);
    const options = ['-o', 'DPkg::Lock::Timeout=300', '-y', '--no-install-recommends'];
    await attempt('apt-get', ['install', ...options, ...packages], root, 300_000);
    if (await areInstalled()) return;
  }
  throw new Error(`The model needs spin and gcc. On Debian or Ubuntu, run: apt-get install ${packages.join(' ')}`);
};

const stepsOf = (replay: string): string[] => {
  const lines = replay.split('\n').map((line) => line.trim());
  const end = lines.findIndex((line) => line.startsWith('#processes'));
  return lines.slice(0, end).filter((line) => line !== '' && !line.startsWith('spin:') && !line.startsWith('using '));
};

const search = async (folder: string, flags: string[], bound: Bound): Promise<Result> => {
  await runOrThrow('spin', [...flags, '-a', 'lane.pml'], folder);
  const storage = ['-DSAFETY', '-DNOFAIR', '-DVECTORSZ=2048', '-DHC4', `-DMEMLIM=${bound.memoryMiB}`];
  await runOrThrow('gcc', [bound.optimize, ...storage, '-w', '-o', 'pan', 'pan.c'], folder);
  const began = performance.now();
  const { output } = await attempt('./pan', ['-E', `-w${bound.hashBits}`, '-m100000'], folder, bound.timeoutMs);
  const seconds = (performance.now() - began) / 1_000;
  const states = Number(/([\d.e+]+) states, stored/.exec(output)?.[1] ?? 0);
  const assertion = /assertion violated (.*) \(at depth/.exec(output)?.[1];
  if (assertion !== undefined) {
    const { output: replay } = await attempt('spin', [...flags, '-t', 'lane.pml'], folder);
    return { outcome: 'violated', states, seconds, assertion, steps: stepsOf(replay) };
  }
  const complete = /errors: 0/.test(output) && !/Search not completed|max search depth too small/.test(output);
  return { outcome: complete ? 'holds' : 'unfinished', states, seconds, steps: [] };
};

/** Searches all states of one configuration, up to the first violation. */
export const check = async ({ defines }: Configuration, bound: Bound): Promise<Result> => {
  await mkdir(join(root, '.build', 'model'), { recursive: true });
  const folder = await mkdtemp(join(root, '.build', 'model', 'run-'));
  try {
    await copyFile(model, join(folder, 'lane.pml'));
    const flags = defines.map((define) => `-D${define}`);
    return await search(folder, flags, bound);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
