/**
 * `npm run test:api-fuzz [-- --minutes 5 --seed N]`: schemathesis calls a running API with what its description allows, and with what it does
 * not. No answer may be a 500, or one that the description does not have.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process, { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { root } from '../../tools/run-tool.ts';
import { pythonPackages } from '../support/python-packages.ts';
import { type Callers, openStage } from './stage.ts';

const version = '4.32.5';

const checks = ['status_code', 'content_type', 'response_headers', 'response_schema'].map(
  (one) => `${one}_conformance`,
);

/** A token that ends its own session can only end sessions; an API key calls for users of a back end. */
const configOf = ({ user, leaving, key }: Callers): string => {
  const bearer = (credential: string) => `headers = { Authorization = ${JSON.stringify(`Bearer ${credential}`)} }`;
  return [
    bearer(user),
    ...['[[operations]]', 'include-path = "/disconnect"', bearer(leaving)],
    ...['[[operations]]', 'include-path-regex = "^/users/"', bearer(key)],
  ].join('\n');
};

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

/** The servers and processes end, too. */
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

/** Resolves to whether every answer was as described. */
const run = async (): Promise<boolean> => {
  const tools = await pythonPackages(`schemathesis-${version}`, 'The packages of schemathesis', [
    `schemathesis==${version}`,
  ]);
  if ('reason' in tools) throw new Error(tools.reason);
  const folder = join(root, '.data', 'api-fuzz');
  await using stage = await openStage(folder);
  const config = join(folder, 'schemathesis.toml');
  writeFileSync(config, configOf(stage.callers));
  const args = [
    ...['--config-file', config, 'run', join(root, 'docs', 'openapi.json'), '--url', stage.api],
    ...['--checks', ['not_a_server_error', ...checks].join(','), '--continue-on-failure'],
    ...['--max-time', String(Math.ceil(Number(values.minutes) * 60)), '--seed', values.seed, '--workers', '2'],
    ...['--request-timeout', '30', '--generation-database', 'none', '--warnings', 'off', '--no-color'],
  ];
  stdout.write(`seed ${values.seed}; logs: ${folder}\n`);
  const { exitCode } = await execa(join(tools.bin, 'schemathesis'), args, {
    ...{ cwd: folder, stdio: ['ignore', 'inherit', 'inherit'], reject: false, cancelSignal: stopping.signal },
  });
  return exitCode === 0;
};
exit((await run()) ? 0 : 1);
