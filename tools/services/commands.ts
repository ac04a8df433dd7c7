import { execFile } from 'node:child_process';

export type CommandOptions = { timeoutMs: number; env?: NodeJS.ProcessEnv; folder?: string };

/** Runs a command to its end. @throws {Error} with the end of what it printed. Returns its stdout. */
export const runCommand = (file: string, args: string[], options: CommandOptions): Promise<string> =>
  new Promise((resolve, reject) => {
    const settings = {
      timeout: options.timeoutMs,
      env: options.env,
      cwd: options.folder,
      maxBuffer: 64 * 1_024 * 1_024,
    };
    execFile(file, args, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const reason = error.killed ? `took more than ${options.timeoutMs / 1_000} s` : stderr.trim().split('\n').at(-1);
      reject(new Error(`${file} ${args[0] ?? ''}: ${reason || error.message}`, { cause: error }));
    });
  });
