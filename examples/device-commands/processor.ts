import { type Processor, UnrecoverableError } from 'lanekeeper';
import { type GatewayAddress, sendCommand } from './gateway.ts';

const commandOf = (request: unknown): { device: string; command: string } => {
  const { device, command } = (request ?? {}) as { device?: unknown; command?: unknown };
  if (typeof device !== 'string' || typeof command !== 'string') {
    throw new UnrecoverableError('Send { "device": name, "command": name }');
  }
  return { device, command };
};

export const createDeviceProcessor = (address: GatewayAddress): Processor => {
  return async (request, { userId, seq, signal, logger }) => {
    const { device, command } = commandOf(request);
    const answer = await sendCommand(address, { id: `${userId}:${seq}`, device, command }, signal);
    if ('state' in answer) return { device, state: answer.state };
    // Any error but an UnrecoverableError is retried, before the user's next command. A busy device will be free again.
    if (answer.error === 'busy') throw new Error(`${device} is busy`);
    logger.warn({ device, reason: answer.error }, 'the gateway refused a command');
    throw new UnrecoverableError(`The gateway refused ${command} for ${device}: ${answer.error}`);
  };
};

/** For `PROCESSOR=examples/device-commands/processor.ts`. */
export default createDeviceProcessor({
  host: process.env.DEVICE_HOST ?? '127.0.0.1',
  port: Number(process.env.DEVICE_PORT ?? 7_070),
});
