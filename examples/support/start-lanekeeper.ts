/** Starts Lanekeeper for an example: what `npx lanekeeper dev PROCESSOR` does in a project of your own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { env, execPath, stderr } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type Started = { url: string; stop(): Promise<void> };

const command = fileURLToPath(new URL('../../tools/lanekeeper.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

const read = (line: string): { from?: string; msg?: string; url?: string } => {
  try {
    return JSON.parse(line);
  } catch {
    return { msg: line };
  }
};

/**
 * @param processor a file, or `webhook`.
 * @param settings further environment variables of the API and the consumer.
 * @throws {Error} when it does not start.
 */
export const startLanekeeper = async (processor: string, settings: Record<string, string> = {}): Promise<Started> => {
  const args = ['--no-warnings', command, 'dev', processor, '--json'];
  const child = spawn(execPath, args, { cwd: root, env: { ...env, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const latest: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        const { from, msg = '', url } = read(line);
        if (from === 'start' && msg === 'ready' && url) resolve(url);
        latest.push(`${from ?? ''} ${msg}`);
        if (latest.length > 20) latest.shift();
      });
    ended.then(() => reject(new Error(`Lanekeeper has ended:\n${latest.join('\n')}`)));
  });
  stderr.write('Starting Lanekeeper …\n');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url: await ready, stop };
};
