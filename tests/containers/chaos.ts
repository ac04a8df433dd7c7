/** A minute of faults under load, and the judge of histories over what happened. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { awaitFinal } from '../chaos/final.ts';
import { startUsers, usualHabits } from '../chaos/users.ts';
import { judgeHistory, type Verdict } from '../judge/judge.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { readHistory, recorder } from '../system/recorder.ts';
import { createFaults } from './faults.ts';
import { hungWorkers } from './hung-workers.ts';
import { consumerImage, type Stack } from './stack.ts';

const faultsMs = 60_000;
/** Between two faults, once both consumers are ready. */
const betweenMs = 3_000;
const closedWithinMs = 90_000;
/** A worker notices a frozen connection after three heartbeats of two seconds. The rest is for a busy machine. */
const excuseMs = 15_000;

type Options = { stack: Stack; folder: string; say(line: string): void };

/** @param folder the users of the images may write into it. */
export const runFaults = async ({ stack, folder, say }: Options): Promise<Verdict> => {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  const historyFile = join(folder, 'history.jsonl');
  writeFileSync(historyFile, '');
  chmodSync(historyFile, 0o666);
  const record = recorder({ HISTORY_FILE: historyFile });
  await stack.up(['faults.yml'], { HISTORY_FOLDER: folder, CONSUMER_IMAGE: consumerImage, CONSUMER_MEMORY: '400m' });

  const users = startUsers({ seed: 1, habits: usualHabits, urls: [stack.url], record });
  const faults = createFaults({ stack, record, historyFile, say });
  const { kill, freeze, cutNetwork, starve, killApi, rollingRestart } = faults;
  const all = [() => kill(1), () => freeze(2), killApi, () => cutNetwork(1), () => starve(2), rollingRestart];
  const until = monotonicMs() + faultsMs;
  // Each kind happens at least once.
  for (let done = 0; done < all.length || monotonicMs() < until; done += 1) {
    await Promise.all([1, 2].map(stack.consumerReady));
    await pause(betweenMs);
    await all[done % all.length]?.();
  }
  await Promise.all([1, 2].map(stack.consumerReady));
  say('the users leave');
  await users.leave();
  const { mongodbUrl, rabbitmqUrl } = await stack.servers();
  const servers = { store: { url: mongodbUrl }, broker: { url: rabbitmqUrl } };
  const final = await awaitFinal({ servers, prefix: '', userIds: users.ids(), limitMs: closedWithinMs });
  writeFileSync(join(folder, 'final.json'), JSON.stringify(final));
  for (const name of [1, 2].map((number) => stack.container('consumer', number))) {
    const host = (await stack.engine.run('inspect', '-f', '{{.Config.Hostname}}', name)).trim();
    const log = await stack.engine.run('logs', name);
    for (const fault of hungWorkers(log, host, readHistory(historyFile))) record(fault);
  }
  return judgeHistory(readHistory(historyFile), final, {
    allowCutOff: true,
    excuseMs,
    graceMs: Number(stack.env.GRACE_MS),
  });
};
