/** A TCP proxy between a process and its server. Its connections can be cut, frozen, half-frozen or delayed. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Direction = 'to-server' | 'from-server';

export type TcpProxy = {
  port: number;
  /** Closes every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again, on the same port. */
  restore(): Promise<void>;
  /**
   * Keeps connections open and accepts new ones, but passes no bytes: in `direction`, or in both directions by default.
   */
  freeze(direction?: Direction): void;
  thaw(): void;
  /** Delays every byte, in both directions, by this many ms. 0 ends the delay. */
  delay(ms: number): void;
  close(): Promise<void>;
};

/** One direction of all connections of a proxy. `from`: the sockets that send in this direction. */
type Flow = { frozen: boolean; from: Set<Socket> };

/** The proxy stops reading from a sender when this many bytes wait for its receiver. */
const maxBufferedBytes = 1_048_576;

export const startTcpProxy = async (host: string, targetPort: number): Promise<TcpProxy> => {
  const pairs = new Set<[Socket, Socket]>();
  const flows: Record<Direction, Flow> = {
    'to-server': { frozen: false, from: new Set() },
    'from-server': { frozen: false, from: new Set() },
  };
  let delayMs = 0;
  let port = 0;

  /** Forwards what `from` sends, in order, each chunk when its delay is over. */
  const forward = (from: Socket, to: Socket, flow: Flow): void => {
    let passed = Promise.resolve();
    let waiting = 0;
    const resume = () => {
      if (!flow.frozen && waiting < maxBufferedBytes) from.resume();
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
      if (waiting >= maxBufferedBytes) from.pause();
      afterDelay(() =>
        to.write(bytes, () => {
          waiting -= bytes.length;
          resume();
        }),
      );
    });
    from.on('end', () => afterDelay(() => to.end()));
    flow.from.add(from);
    from.on('close', () => flow.from.delete(from));
    if (flow.frozen) from.pause();
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
    forward(near, far, flows['to-server']);
    forward(far, near, flows['from-server']);
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
    for (const flow of direction ? [flows[direction]] : Object.values(flows)) {
      flow.frozen = true;
      for (const socket of flow.from) socket.pause();
    }
  };
  const thaw = () => {
    for (const flow of Object.values(flows)) {
      flow.frozen = false;
      for (const socket of flow.from) socket.resume();
    }
  };
  const delay = (ms: number) => {
    delayMs = ms;
  };

  await restore();
  return { port, cut, restore, freeze, thaw, delay, close: cut };
};

/** A proxy to the server that a URL names. `url` leads through it. */
export const startProxyTo = async (target: string): Promise<TcpProxy & { url: string }> => {
  const url = new URL(target);
  const proxy = await startTcpProxy(url.hostname, Number(url.port));
  url.host = `127.0.0.1:${proxy.port}`;
  // A member of a replica set would tell the driver where the others are, and the driver would go there.
  if (url.protocol === 'mongodb:') url.searchParams.set('directConnection', 'true');
  return { ...proxy, url: url.href };
};
