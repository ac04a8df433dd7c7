/** Debian's or Ubuntu's RabbitMQ package, without the system service that it would start. */
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { env, getuid } from 'node:process';
import { findBinary } from './binaries.ts';
import { runCommand } from './commands.ts';

/** What a package's scripts ask before they start a service; 101 means: do not. */
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
  if (getuid?.() !== 0) return 'installing it needs root';
  return undefined;
};

const aptTimeoutMs = 300_000;

const apt = (...args: string[]): Promise<string> =>
  runCommand('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    timeoutMs: aptTimeoutMs,
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
  });

/** @throws {Error} with what apt-get said last. */
export const installRabbitmq = async (): Promise<void> => {
  await apt('update');
  forbidServices();
  try {
    await apt('install', '-y', '--no-install-recommends', 'rabbitmq-server');
  } finally {
    restoreServices();
  }
};
