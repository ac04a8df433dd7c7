import { connect } from 'node:net';

/** One line of JSON to the gateway. `id` is the same in every attempt, so that the device obeys a repeated command only once. */
export type DeviceCommand = { id: string; device: string; command: string };

/** One line of JSON from the gateway. */
export type DeviceAnswer = { state: string } | { error: 'busy' | 'unknown-device' | 'unknown-command' };

export type GatewayAddress = { host: string; port: number };

const answerTimeoutMs = 3_000;

/**
 * Sends one command over a connection of its own and waits for the answer.
 *
 * @throws {Error} when no answer comes within 3 s, when the connection breaks, and as soon as the signal aborts.
 */
export const sendCommand = async (
  address: GatewayAddress,
  command: DeviceCommand,
  signal: AbortSignal,
): Promise<DeviceAnswer> => {
  signal.throwIfAborted();
  const socket = connect(address);
  socket.setEncoding('utf8');
  socket.setTimeout(answerTimeoutMs, () =>
    socket.destroy(new Error(`The gateway did not answer within ${answerTimeoutMs} ms`)),
  );
  const abort = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    socket.write(`${JSON.stringify(command)}\n`);
    let answer = '';
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.endsWith('\n')) return JSON.parse(answer) as DeviceAnswer;
    }
    throw new Error('The gateway closed the connection without an answer');
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
};
