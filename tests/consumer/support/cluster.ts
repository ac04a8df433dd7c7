/** Starts a real primary with real workers and reads its log. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type LogLine = Record<string, unknown> & { msg?: string; pid?: number; workerPid?: number; time?: string };

export const supportFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The primary that people start. */
export const consumerScript = supportFile('../../../functions/consumer.ts');

export type TestCluster = AsyncDisposable & {
  pid: number;
  lines: LogLine[];
  /** Waits for the `count`th line that matches. */
  logged(matches: (line: LogLine) => boolean, count?: number): Promise<LogLine>;
  get(path: string): Promise<{ status: number; text: string }>;
  signal(name: NodeJS.Signals): void;
  exited: Promise<{ code: number | null; signal: string | null }>;
  workerPids(): number[];
  /** Everything written so far, to stdout and stderr. */
  output(): string;
};

const waitMs = 30_000;

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Resolves as soon as `check` holds; rejects after 30 s. */
export const until = async (what: string, check: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + waitMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${waitMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const endAll = (pids: number[]): void => {
  for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
};

/** `script` is the primary: by default the one beside this file, with the worker that `TEST_WORKER` names. */
export const startCluster = (env: Record<string, string>, script = supportFile('primary.ts')): TestCluster => {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [script], {
    env: { PATH, NODE_COMPILE_CACHE, METRICS_PORT: '0', GRACE_MS: '1000', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: LogLine[] = [];
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine);
  });
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const workerPids = () => lines.filter((line) => line.msg === 'worker started').map((line) => line.workerPid!);

  const output = () => [...lines.map((line) => JSON.stringify(line)), ...errors].join('\n');

  const logged: TestCluster['logged'] = async (matches, count = 1) => {
    const found = () => lines.filter(matches)[count - 1];
    await until(`log line ${matches}, ${count} times`, () => found() !== undefined).catch((error: Error) => {
      throw new Error(`${error.message}\n${output()}`);
    });
    return found()!;
  };
  const get = async (path: string) => {
    const { port } = await logged((line) => line.msg === 'serving /healthz and /metrics');
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  return {
    pid: child.pid!,
    lines,
    logged,
    get,
    exited,
    workerPids,
    output,
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      endAll([child.pid!, ...workerPids()]);
      await exited;
    },
  };
};
