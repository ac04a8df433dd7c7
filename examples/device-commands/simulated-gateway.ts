import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { DeviceAnswer, DeviceCommand, GatewayAddress } from './gateway.ts';

const states: Record<string, string> = { 'switch-on': 'on', 'switch-off': 'off', dim: 'dimmed' };
const device = 'lamp';

export type SimulatedGateway = AsyncDisposable & {
  address: GatewayAddress;
  /** The commands that the lamp obeyed, in order. */
  obeyed: DeviceCommand[];
  /** Answers "busy" to this many commands. */
  beBusy(times: number): void;
  /** From now on, reads commands and does not answer them. */
  freeze(): void;
};

/** A gateway with one lamp behind it. @param port 0 means any free port. */
export const openSimulatedGateway = async (port = 0): Promise<SimulatedGateway> => {
  const obeyed: DeviceCommand[] = [];
  const sockets = new Set<Socket>();
  let busy = 0;
  let frozen = false;

  const obey = (command: DeviceCommand): DeviceAnswer => {
    const state = states[command.command];
    if (command.device !== device) return { error: 'unknown-device' };
    if (state === undefined) return { error: 'unknown-command' };
    if (busy > 0) {
      busy -= 1;
      return { error: 'busy' };
    }
    if (!obeyed.some(({ id }) => id === command.id)) obeyed.push(command);
    return { state };
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => {
      if (!frozen) socket.end(`${JSON.stringify(obey(JSON.parse(line) as DeviceCommand))}\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    obeyed,
    beBusy: (times) => {
      busy = times;
    },
    freeze: () => {
      frozen = true;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
