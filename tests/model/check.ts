/** Runs spin, gcc and the verifier that they make, in a folder of its own under `.build/`. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const model = join(import.meta.dirname, 'lane.pml');

/** One configuration of `lane.pml`: which functions, which faults, which rule broken. */
export type Configuration = { title: string; defines: string[] };

export type Bound = {
  /** For tiny searches the compiler costs more than the search: `-O0` is quicker then. */
  optimize: '-O0' | '-O1' | '-O2';
  /** log2 of the hash table's slots. */
  hashBits: number;
  memoryMiB: number;
  timeoutMs: number;
};

export type Result = {
  /** `unfinished`: out of time, memory or depth before every state was seen. */
  outcome: 'holds' | 'violated' | 'unfinished';
  states: number;
  seconds: number;
  /** The assertion that failed, as spin prints it. */
  assertion?: string;
  /** What led to it, one step a line. */
  steps: string[];
};

/** What ran, whether it ended well or not. */
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

const insist = async (command: string, args: string[], cwd: string): Promise<void> => {
  const { ok, output } = await attempt(command, args, cwd);
  if (!ok || /Error:/.test(output)) throw new Error(`${command} did not accept the model:\n${output}`);
};

const packages = ['spin', 'gcc', 'libc6-dev'];

/**
 * Sees to it that spin and gcc are there. As root on Debian or Ubuntu it installs them.
 *
 * @throws {Error} that says what to install.
 */
export const ensureSpin = async (): Promise<void> => {
  const there = async () => (await attempt('spin', ['-V'], root)).ok && (await attempt('gcc', ['--version'], root)).ok;
  if (await there()) return;
  if (process.getuid?.() === 0) {
    const options = ['-o', 'DPkg::Lock::Timeout=300', '-y', '--no-install-recommends'];
    await attempt('apt-get', ['install', ...options, ...packages], root, 300_000);
    if (await there()) return;
  }
  throw new Error(`The model needs spin and gcc. On Debian or Ubuntu: apt-get install ${packages.join(' ')}`);
};

const stepsOf = (replay: string): string[] => {
  const lines = replay.split('\n').map((line) => line.trim());
  const end = lines.findIndex((line) => line.startsWith('#processes'));
  return lines.slice(0, end).filter((line) => line !== '' && !line.startsWith('spin:') && !line.startsWith('using '));
};

const search = async (folder: string, flags: string[], bound: Bound): Promise<Result> => {
  await insist('spin', [...flags, '-a', 'lane.pml'], folder);
  const storage = ['-DSAFETY', '-DNOFAIR', '-DVECTORSZ=2048', '-DHC4', `-DMEMLIM=${bound.memoryMiB}`];
  await insist('gcc', [bound.optimize, ...storage, '-w', '-o', 'pan', 'pan.c'], folder);
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

/** Searches every state of one configuration, or up to its first violation. */
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
