/** What the real `serverless package` makes of serverless.yml and infra/, without a network. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../../tools/run-tool.ts';
import { eventually } from '../../support/world.ts';

const registry = '123456789012.dkr.ecr.eu-central-1.amazonaws.com/lanekeeper';
const digest = (hex: string): string => `sha256:${hex.repeat(64)}`;

/** What a deployment sets. The optional secrets are named, so that the permissions to read them can be seen. */
export const deployment = {
  IMAGE_URI: `${registry}-functions@${digest('a')}`,
  CONSUMER_IMAGE_URI: `${registry}-consumer@${digest('b')}`,
  INVITE_SECRET_ID: 'lanekeeper/invite',
  WEBHOOK_SECRET_ID: 'lanekeeper/webhook',
};

// biome-ignore lint/suspicious/noExplicitAny: a template is JSON of any shape, and a test that reads past its end fails.
type Json = any;

export type Resource = { Type: string; Properties: Record<string, Json>; DependsOn?: string[] };
export type Template = { Resources: Record<string, Resource>; Outputs: Record<string, Json> };

/** Held by a listening port, so that it ends with its process: serverless builds in one folder, and two at once remove each other's files. */
const takeTurn = async () => {
  const server = createServer();
  const listens = () =>
    new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen({ port: 41_573, host: '127.0.0.1' }, () => resolve(true));
    });
  await eventually('serverless is free', listens, 110_000);
  return { [Symbol.dispose]: () => void server.close() };
};

/** Runs a command of serverless with the variables of a deployment alone. Rejects when it fails. */
export const runServerless = async (args: string[], environment: NodeJS.ProcessEnv = {}) => {
  using _turn = await takeTurn();
  const { PATH, HOME } = process.env;
  return await promisify(execFile)(process.execPath, ['node_modules/serverless/bin/serverless.js', ...args], {
    cwd: root,
    env: { PATH, HOME, SLS_NOTIFICATIONS_MODE: 'off', SLS_TELEMETRY_DISABLED: '1', ...deployment, ...environment },
  });
};

/** The folder with the package of a stage. It is removed at the end. */
export const packageOf = async (stage: string, environment: NodeJS.ProcessEnv = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'lanekeeper-package-'));
  await runServerless(['package', '--stage', stage, '--package', folder], environment);
  const file = join(folder, 'cloudformation-template-update-stack.json');
  const template = JSON.parse(await readFile(file, 'utf8')) as Template;
  return { file, template, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
};

export const ofType = ({ Resources }: Template, type: string): [name: string, resource: Resource][] =>
  Object.entries(Resources).filter(([, { Type }]) => Type === type);

/** The container of the consumer, in its task. */
export const consumerOf = ({ Resources }: Template): Json => Resources.ConsumerTask?.Properties.ContainerDefinitions[0];

/** What the consumer gets as its environment, by name. */
export const consumerVariablesOf = (template: Template): Record<string, Json> =>
  Object.fromEntries(consumerOf(template).Environment.map(({ Name, Value }: Json) => [Name, Value]));

/** The limits that RabbitMQ is configured with. */
export const brokerLimitsOf = ({ Resources }: Template): Record<string, number> => {
  const lines: string[] = Resources.BrokerLimits?.Properties.Data['Fn::Base64'].trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' = ')).map(([name, value]) => [name, Number(value)]));
};

/** The statements of the policies of a role. */
export const statementsOf = ({ Resources }: Template, role: string): Record<string, Json>[] =>
  Resources[role]?.Properties.Policies.flatMap((policy: Json) => policy.PolicyDocument.Statement);
