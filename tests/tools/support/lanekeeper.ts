/** Runs the command `lanekeeper` in a folder. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process, { execPath } from 'node:process';
import { promisify } from 'node:util';
import { root } from '../../../tools/run-tool.ts';
import { freePort } from '../../../tools/services/probe.ts';
import { mongodbUrl, rabbitmqUrl, uniqueName } from '../../support/servers.ts';
import { eventually } from '../../support/world.ts';
import { removeTraces } from './remove-traces.ts';

const lanekeeper = join(root, 'tools', 'lanekeeper.ts');

export const run = (folder: string, file: string, args: string[], env: NodeJS.ProcessEnv = process.env) => {
  const failed = (error: { code: number; stdout: string; stderr: string }) => error;
  return promisify(execFile)(file, args, { cwd: folder, env }).then((out) => ({ ...out, code: 0 }), failed);
};
export const command = (folder: string, args: string[], env?: NodeJS.ProcessEnv) =>
  run(folder, execPath, ['--no-warnings', lanekeeper, ...args], env);

/** `lanekeeper dev` in a folder, with the servers of the tests. */
export const startDev = async (folder: string, ...args: string[]) => {
  const name = uniqueName('dev');
  const port = await freePort();
  const child = spawn(execPath, ['--no-warnings', lanekeeper, 'dev', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      RABBITMQ_URL: rabbitmqUrl(),
      MONGODB_URL: mongodbUrl(name),
      QUEUE_PREFIX: `${name}.`,
      LANES: '2',
      // Longer than any reload on a busy machine: no run is aborted.
      GRACE_MS: '60000',
      PORT: String(port),
      METRICS_PORT: String(await freePort()),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return {
    exit,
    url: `http://127.0.0.1:${port}`,
    line: (pattern: RegExp) =>
      eventually(String(pattern), () => pattern.exec(output) ?? undefined, 90_000).catch((error) => {
        throw new Error(`${error.message} in:\n${output}`);
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
      await removeTraces(name);
    },
  };
};
