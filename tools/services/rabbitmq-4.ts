/**
 * RabbitMQ 4 with its Erlang, out of the packages of Debian 13, for a machine whose own packages are older. They are unpacked into
 * a folder of this checkout. A program of that folder runs where the folder's `usr` is mounted over `/usr`, which no other process sees.
 */
import { chmodSync, existsSync, globSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { getuid } from 'node:process';
import { execa } from 'execa';
import { programsOf } from '../run-tool.ts';
import { agree, type Consent, debianArchive, installPackages } from './apt.ts';
import { makeFolder } from './private-server.ts';
import { findBinary } from './processes.ts';

const release = 'trixie';
const downloadTimeoutMs = 300_000;
/** What of the packages is run, by its name in the folder `bin`. */
const programs = {
  'rabbitmq-server': '/usr/lib/rabbitmq/bin/rabbitmq-server',
  rabbitmqctl: '/usr/lib/rabbitmq/bin/rabbitmqctl',
  epmd: '/usr/bin/epmd',
};

/** Why RabbitMQ 4 cannot be had here; `undefined` when it can be tried. */
export const whyNoRabbitmq4 = (): string | undefined => {
  if (getuid?.() !== 0) return 'RabbitMQ 4 out of packages of Debian 13 needs root, to mount a folder';
  if (!findBinary('apt-get') || !findBinary('unshare'))
    return 'RabbitMQ 4 is taken from packages of Debian, and this is not Debian';
  // Otherwise programs would find the libraries of this machine in /lib.
  const isMerged = readdirSync('/').includes('lib') && linkOf('/lib') === 'usr/lib';
  return isMerged ? undefined : 'RabbitMQ 4 needs a machine whose /lib is a link to /usr/lib';
};

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

const download = async (folder: string): Promise<void> => {
  if (!findBinary('debootstrap')) await installPackages('debootstrap');
  const options = ['--variant=minbase', '--download-only', '--include=rabbitmq-server'];
  await execa('debootstrap', [...options, release, folder, await debianArchive()], { timeout: downloadTimeoutMs });
};

const unpack = async (archives: string, folder: string): Promise<void> => {
  for (const file of globSync(join(archives, '*.deb'))) await execa('dpkg-deb', ['--extract', file, folder]);
};

const writePrograms = (folder: string, root: string): void => {
  for (const [name, program] of Object.entries(programs)) {
    const file = join(makeFolder(folder, 'bin'), name);
    const inside = `mount --bind "$0" /usr && exec "$@"`;
    writeFileSync(
      file,
      `#!/bin/sh\nexec unshare --mount --propagation private sh -c '${inside}' '${root}/root/usr' ${program} "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
};

/** The path of its `rabbitmq-server`, beside which are `rabbitmqctl` and `epmd`. */
const serverIn = (folder: string): string => join(folder, 'bin', basename(programs['rabbitmq-server']));

/**
 * Downloads it once for this checkout.
 *
 * @throws {NoServerError} when a person declines; {Error} with the reason when it cannot be had here.
 */
export const rabbitmq4 = async (root: string, consent: Consent): Promise<string> => {
  const folder = join(programsOf(root), 'rabbitmq-4');
  const reason = whyNoRabbitmq4();
  if (reason) throw new Error(reason);
  if (existsSync(serverIn(folder))) return serverIn(folder);
  consent.say(
    'rabbitmq',
    `RabbitMQ 4 and its Erlang come out of packages of Debian 13 (130 MB), unpacked into ${folder}.`,
  );
  if (!findBinary('debootstrap'))
    consent.say('rabbitmq', 'apt-get will install the package debootstrap, which downloads them.');
  await agree(consent, 'Download them now?', 'No RabbitMQ 4: you declined its download.');
  // In another folder first, so that a half-unpacked program is never run.
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  await download(join(part, 'debootstrap'));
  await unpack(join(part, 'debootstrap', 'var', 'cache', 'apt', 'archives'), join(part, 'root'));
  rmSync(join(part, 'debootstrap'), { recursive: true });
  writePrograms(part, folder);
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return serverIn(folder);
};
