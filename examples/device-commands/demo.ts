/** Sends one user's commands to a simulated lamp, in order, as a worker would. Run: node examples/device-commands/demo.ts */
import { deepStrictEqual } from 'node:assert';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { systemClock as clock } from '../../lib/clock.ts';
import { loadConfig } from '../../lib/config.ts';
import { decidePolicy } from '../../lib/runs/policy.ts';
import { createRunRequest } from '../../lib/runs/run.ts';
import { createDeviceProcessor } from './processor.ts';
import { openSimulatedGateway } from './simulated-gateway.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
await using gateway = await openSimulatedGateway();
const policy = decidePolicy({ retryBaseMs: 50, retryMaxMs: 500 }, loadConfig({}, 'consumer'));
const log = pino({ level: 'silent' });
const runRequest = createRunRequest({ processor: createDeviceProcessor(gateway.address), policy }, { clock, log });
const signal = new AbortController().signal;

const commands = ['switch-on', 'explode', 'dim', 'switch-off'];
gateway.beBusy(2);
for (const [index, command] of commands.entries()) {
  const body = JSON.stringify({ device: 'lamp', command });
  for (let attempt = 1; ; attempt += 1) {
    const run = {
      userId: 'alice',
      user: 'alice',
      seq: index + 1,
      body,
      attempt,
      fencingToken: 1,
      limits: {},
      forgiven: 0,
      interruptions: 0,
      signal,
    };
    const outcome = await runRequest(run);
    const detail = outcome.kind === 'done' ? outcome.result : outcome.error.message;
    say(`request ${run.seq} (${command}), attempt ${attempt}: ${outcome.kind}: ${detail}`);
    if (outcome.kind !== 'retry') break;
    await setTimeout(outcome.delayMs);
  }
}
deepStrictEqual(
  gateway.obeyed.map(({ command }) => command),
  ['switch-on', 'dim', 'switch-off'],
);
say('The lamp obeyed, in order: switch-on, dim, switch-off.');
