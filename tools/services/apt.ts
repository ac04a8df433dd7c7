/** Packages of Debian or Ubuntu, RabbitMQ's above all, without the system services that they would start. */
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import process, { getuid, stderr, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { execa } from 'execa';
import { NoServerError } from './choose.ts';
import { findBinary } from './processes.ts';

/** A package's scripts ask this program before they start a service; 101 forbids it. */
const policy = '/usr/sbin/policy-rc.d';
const savedPolicy = `${policy}.before-lanekeeper`;

const forbidServices = (): void => {
  const wasInterrupted = existsSync(savedPolicy);
  if (existsSync(policy) && !wasInterrupted) renameSync(policy, savedPolicy);
  writeFileSync(policy, '#!/bin/sh\nexit 101\n');
  chmodSync(policy, 0o755);
};

const restoreServices = (): void => {
  rmSync(policy, { force: true });
  if (existsSync(savedPolicy)) renameSync(savedPolicy, policy);
};

/** Why apt cannot be used here; `undefined` when it can. */
export const whyNoApt = (): string | undefined => {
  if (!findBinary('apt-get')) return 'there is no apt-get here';
  return getuid?.() === 0 ? undefined : 'installing the package rabbitmq-server needs root';
};

export type Consent = {
  say(name: string, line: string): void;
  /** The caller has already agreed. */
  yes?: boolean;
  /** `undefined` where nobody can answer: then the installation goes on. */
  ask?: (question: string) => Promise<string>;
};

/** In `eval "$(lanekeeper services)"` a person sits there, but does not see stdout. */
const screen = [stderr, stdout].find(({ isTTY }) => isTTY);

/** `undefined` without a terminal. Ctrl-C and Ctrl-D mean no. */
export const askOnTerminal: Consent['ask'] =
  stdin.isTTY && screen
    ? async (question) => {
        const terminal = createInterface({ input: stdin, output: screen });
        const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('no')));
        const answer = terminal.question(question).catch(() => 'no');
        return Promise.race([answer, closed]).finally(() => terminal.close());
      }
    : undefined;

/** @throws {NoServerError} with `declined` when the answer is no. */
export const agree = async ({ say, yes = false, ask }: Consent, question: string, declined: string): Promise<void> => {
  if (yes || !ask) return say('rabbitmq', 'installing; this takes a minute');
  const answer = await ask(`rabbitmq  ${question} [Y/n] `);
  if (!/^\s*(y|yes)?\s*$/i.test(answer)) throw new NoServerError(declined);
};

/** Says what will be installed and asks for it. @throws {NoServerError} when the answer is no. */
export const announceInstall = async (consent: Consent): Promise<void> => {
  consent.say(
    'rabbitmq',
    'There is no RabbitMQ. apt-get will install the package rabbitmq-server and the Erlang that it needs.',
  );
  consent.say(
    'rabbitmq',
    `${policy} keeps the package from starting a system service; it is restored after the installation.`,
  );
  await agree(
    consent,
    'Install it now?',
    'No RabbitMQ: you declined its installation. Install it yourself (apt-get install rabbitmq-server), start Docker, or name a server in RABBITMQ_URL.',
  );
};

const apt = (...args: string[]) => {
  const options = { timeout: 300_000, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  return execa('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], options);
};

/** The archive of Debian that this machine's apt uses. @throws {Error} when there is none. */
export const debianArchive = async (): Promise<string> => {
  const args = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian', 'Label: Debian'];
  const [archive] = (await execa('apt-get', args)).stdout.split('\n');
  if (!archive) throw new Error('apt-get knows no archive of Debian (run apt-get update)');
  return archive;
};

/** Starts no system service. @throws {Error} with what apt-get printed. */
export const installPackages = async (...names: string[]): Promise<void> => {
  await apt('update');
  forbidServices();
  // A second Ctrl-C ends this process at once; even then the policy must not stay.
  process.once('exit', restoreServices);
  try {
    await apt('install', '-y', '--no-install-recommends', ...names);
  } finally {
    process.off('exit', restoreServices);
    restoreServices();
  }
};
