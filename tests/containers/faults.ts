/** Faults of containers, one after the other: what an orchestrator, a kernel and a network do to them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultKind } from '../judge/history.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { type Recorder, readHistory } from '../system/recorder.ts';
import type { Stack } from './stack.ts';

type Options = { stack: Stack; record: Recorder; historyFile: string; say(line: string): void };

/** More than `FROZEN_AFTER_MS` and than three heartbeats. */
const longMs = 8_000;

export const createFaults = ({ stack, record, historyFile, say }: Options) => {
  const { engine, container } = stack;

  /** The part of the workers' names before the `/`, as the container's processor writes it since its last start. */
  const targetOf = async (name: string): Promise<string | undefined> => {
    const host = (await engine.run('inspect', '-f', '{{.Config.Hostname}}', name)).trim();
    const last = readHistory(historyFile).findLast(
      (event) => event.kind === 'started' && event.worker.startsWith(host),
    );
    return last?.kind === 'started' ? last.worker.split('/')[0] : undefined;
  };

  /** Writes down what was done to a consumer and how long it lasted. */
  const hit = async (fault: FaultKind, number: number, about: string, act: (name: string) => Promise<void>) => {
    const name = container('consumer', number);
    const target = await targetOf(name);
    const at = monotonicMs();
    say(`${name}: ${about}`);
    await act(name);
    record({ kind: 'fault', fault, at, until: monotonicMs(), target });
  };

  /** runc gives up after a moment, which is too short for a busy machine with control groups of version 1. */
  const freeze = async (name: string): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      const failed = await engine.run('pause', name).then(
        () => undefined,
        (error) => error,
      );
      if (!failed) return;
      if (tries === 20) throw failed;
    }
  };

  const start = (name: string): Promise<string> => engine.run('start', name);

  const restart = (number: number) =>
    hit('worker-stopped', number, 'stopped as in a rolling restart', async (name) => {
      await engine.run('stop', '--time', '30', name);
      await start(name);
    });

  return {
    kill: (number: number) =>
      hit('worker-killed', number, 'killed', async (name) => {
        await engine.run('kill', '--signal', 'KILL', name);
        await start(name);
      }),
    freeze: (number: number) =>
      hit('worker-frozen', number, `frozen for ${longMs} ms`, async (name) => {
        await freeze(name);
        await pause(longMs);
        await engine.run('unpause', name);
      }),
    cutNetwork: (number: number) =>
      hit('connection-cut', number, `no network for ${longMs} ms`, async (name) => {
        await engine.run('network', 'disconnect', stack.network, name);
        await pause(longMs);
        await engine.run('network', 'connect', stack.network, name);
      }),
    /** A process beside the workers takes memory up to the limit of the container. The kernel kills one, and it may be ours. */
    starve: (number: number) =>
      hit('worker-killed', number, 'memory used up to its limit', async (name) => {
        await engine.run('exec', name, 'node', '-e', 'for(a=[];;)a.push(Buffer.alloc(1e6,1))').catch(() => {});
        await start(name);
      }),
    killApi: async () => {
      const at = monotonicMs();
      say(`${container('api')}: killed`);
      await engine.run('kill', '--signal', 'KILL', container('api'));
      await start(container('api'));
      record({ kind: 'fault', fault: 'function-killed', at, until: monotonicMs() });
    },
    rollingRestart: async () => {
      for (const number of [1, 2]) {
        await restart(number);
        await stack.consumerReady(number);
      }
      await engine.run('restart', '--time', '30', container('api'));
    },
  };
};
