import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { forPeople, printer } from './lines.ts';

export type Child = {
  name: string;
  /** Resolves with what ended it, for people; never rejects. */
  ended: Promise<string>;
  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL to it and its children. */
  kill(): void;
};

export type ChildCommand = { name: string; file: string; args: string[]; folder: string; env: NodeJS.ProcessEnv };

/** It and its own children, which are left over when it died before it could end them. */
const killGroup = (group: number | undefined): void => {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** In a session of its own: Ctrl-C in the terminal reaches us alone, and we stop what we started in our order. */
export const startChild = ({ name, file, args, folder, env }: ChildCommand): Child => {
  const child = spawn(file, args, { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const print = printer(name);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => line.trim() && print(forPeople(line)));
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ? `ended by ${signal}` : `ended with code ${code}`));
  });
  return {
    name,
    ended,
    async stop(graceMs) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
      killGroup(child.pid);
    },
    kill: () => killGroup(child.pid),
  };
};
