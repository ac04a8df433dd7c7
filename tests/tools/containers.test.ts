/** How containers are started and stopped, with a shell script in place of docker, so that no engine is needed. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { env } from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startContainer, stopContainer } from '../../tools/services/compose.ts';

const path = env.PATH;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lanekeeper-docker-'));
  env.PATH = `${folder}${delimiter}${path}`;
});

afterEach(() => {
  env.PATH = path;
  rmSync(folder, { recursive: true, force: true });
});

/** Records each Compose command without its options. The commands in `failing` fail. */
const fakeDocker = (failing: string[]): void => {
  const script = [
    '#!/bin/sh',
    // docker compose -p PROJECT -f FILE -f FILE COMMAND
    'command=$8',
    `echo "$command" >> ${join(folder, 'commands')}`,
    `case "$command" in ${[...failing, 'never'].join('|')}) echo 'container is unhealthy' >&2; exit 1;; esac`,
  ];
  writeFileSync(join(folder, 'docker'), script.join('\n'));
  chmodSync(join(folder, 'docker'), 0o755);
};

const commands = (): string[] => readFileSync(join(folder, 'commands'), 'utf8').trim().split('\n');

describe('a container of docker-compose.yml', () => {
  test('that runs is stopped only once', async () => {
    fakeDocker([]);
    expect(await startContainer(folder, 'mongodb')).toMatch(/^mongodb:/);
    expect(await stopContainer(folder, 'mongodb')).toBe(true);
    expect(await stopContainer(folder, 'mongodb')).toBe(false);
    expect(commands()).toEqual(['up', 'stop']);
  });

  test('that does not become healthy is stopped, because another server will be used', async () => {
    fakeDocker(['up']);
    await expect(startContainer(folder, 'mongodb')).rejects.toThrow('container is unhealthy');
    expect(commands()).toEqual(['up', 'stop']);
    expect(await stopContainer(folder, 'mongodb')).toBe(false);
  });

  test('that could not be stopped either is left for services:stop', async () => {
    fakeDocker(['up', 'stop']);
    await expect(startContainer(folder, 'rabbitmq')).rejects.toThrow('container is unhealthy');
    fakeDocker([]);
    expect(await stopContainer(folder, 'rabbitmq')).toBe(true);
  });
});
