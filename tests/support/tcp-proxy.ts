/** A TCP proxy whose connections can be cut, frozen, halved or delayed, to stand between a process and its server. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Direction = 'to-server' | 'from-server';

export type TcpProxy = {
  port: number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again, on the same port. */
  restore(): Promise<void>;
  /** Connections stay and new ones are accepted, but no byte passes; with `direction`, none in that one. */
  freeze(direction?: Direction): void;
  thaw(): void;
  /** Every byte arrives this many ms later, either way; 0 for at once. */
  delay(ms: number): void;
  close(): Promise<void>;
};

/** What holds for all connections of a proxy, in one direction. */
type Lane = { frozen: boolean; from: Set<Socket> };

/** Bytes that wait in the proxy for one reader: above it the sender is made to wait. */
const mostBuffered = 1_048_576;

export const startTcpProxy = async (host: string, targetPort: number): Promise<TcpProxy> => {
  const pairs = new Set<[Socket, Socket]>();
  const lanes: Record<Direction, Lane> = {
    'to-server': { frozen: false, from: new Set() },
    'from-server': { frozen: false, from: new Set() },
  };
  let delayMs = 0;
  let port = 0;

  /** Hands on what `from` sends, in order, each piece when its delay is over. */
  const carry = (from: Socket, to: Socket, lane: Lane): void => {
    let passed = Promise.resolve();
    let waiting = 0;
    const resume = () => {
      if (!lane.frozen && waiting < mostBuffered) from.resume();
    };
    const afterDelay = (act: () => void) => {
      const dueMs = performance.now() + delayMs;
      passed = passed.then(async () => {
        const restMs = dueMs - performance.now();
        if (restMs > 0) await pause(restMs);
        if (!to.destroyed) act();
      });
    };
    from.on('data', (bytes: Buffer) => {
      waiting += bytes.length;
      if (waiting >= mostBuffered) from.pause();
      afterDelay(() =>
        to.write(bytes, () => {
          waiting -= bytes.length;
          resume();
        }),
      );
    });
    from.on('end', () => afterDelay(() => to.end()));
    lane.from.add(from);
    from.on('close', () => lane.from.delete(from));
    if (lane.frozen) from.pause();
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port: targetPort, host, allowHalfOpen: true, noDelay: true });
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const either of pair) either.destroy();
      });
    }
    carry(near, far, lanes['to-server']);
    carry(far, near, lanes['from-server']);
  });
  const restore = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address && typeof address === 'object') port = address.port;
  };
  const cut = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of [...pairs].flat()) socket.destroy();
    await closed;
  };
  const freeze = (direction?: Direction) => {
    for (const lane of direction ? [lanes[direction]] : Object.values(lanes)) {
      lane.frozen = true;
      for (const socket of lane.from) socket.pause();
    }
  };
  const thaw = () => {
    for (const lane of Object.values(lanes)) {
      lane.frozen = false;
      for (const socket of lane.from) socket.resume();
    }
  };
  const delay = (ms: number) => {
    delayMs = ms;
  };

  await restore();
  return { port, cut, restore, freeze, thaw, delay, close: cut };
};
