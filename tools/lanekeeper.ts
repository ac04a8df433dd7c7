#!/usr/bin/env node
/** The command `lanekeeper`. Only the file of the chosen command is loaded. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, version as node, stderr } from 'node:process';
import type { Command } from 'commander';
import { isSupportedNode, whichNode } from './node-versions.ts';

type CommandFile = { command: () => Command };

/** By name: what the help says, and the file. */
const commands: Record<string, [about: string, load: () => Promise<CommandFile>]> = {
  init: ['write a small project: a processor, its test, containers', () => import('./commands/init.ts')],
  dev: [
    'run servers, API and consumer here, and reload the processor after each edit',
    () => import('./commands/dev.ts'),
  ],
  doctor: ['check what Lanekeeper needs here, and say what to do', () => import('./commands/doctor.ts')],
  api: ['serve the HTTP API', () => import('./commands/api.ts')],
  consumer: ['run the processor for the requests of all users', () => import('./commands/consumer.ts')],
  services: ['start the RabbitMQ and the MongoDB that are missing', () => import('./commands/services.ts')],
  migrate: ['create the indexes that the database lacks', () => import('./commands/migrate.ts')],
  operator: ['grant or revoke the operator role, or create an account', () => import('./commands/operator.ts')],
  keys: ['create, list and revoke API keys', () => import('./commands/keys.ts')],
  stuck: ['list users whose requests make no progress, and why', () => import('./commands/stuck.ts')],
  'dead-letters': ['list, retry and drop dead letters', () => import('./commands/dead-letters.ts')],
  requests: ['show, cancel, retry, skip and end the requests of a user', () => import('./commands/requests.ts')],
  demo: ['send requests of several users, and judge the outcome', () => import('./commands/demo.ts')],
};

// Before anything is loaded that an older Node cannot load.
if (!isSupportedNode(node.slice(1))) {
  stderr.write(`${whichNode} This is ${node}.\n`);
  exit(1);
}
const commander = await import('commander');
const { root } = await import('./run-tool.ts');

const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const program = new commander.Command('lanekeeper').description(description).version(version);
program.showHelpAfterError('Run lanekeeper --help.');

const chosen = argv[2] === 'help' ? argv[3] : argv[2];
for (const [name, [about, load]] of Object.entries(commands)) {
  const made = name === chosen ? (await load()).command() : new commander.Command();
  made.name(name).description(about).showHelpAfterError(`Run lanekeeper ${name} --help.`);
  program.addCommand(made);
}
await program.parseAsync();
