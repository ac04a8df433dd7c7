/** A TCP proxy whose connections can be cut or frozen, to stand between a store and its server. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type TcpProxy = {
  port: number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again, on the same port. */
  restore(): Promise<void>;
  /** Connections stay and new ones are accepted, but no byte passes. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
};

export const startTcpProxy = async (host: string, targetPort: number): Promise<TcpProxy> => {
  const pairs = new Set<[Socket, Socket]>();
  let frozen = false;
  let port = 0;

  const join = ([near, far]: [Socket, Socket]) => {
    near.pipe(far);
    far.pipe(near);
  };
  const separate = ([near, far]: [Socket, Socket]) => {
    near.unpipe(far).pause();
    far.unpipe(near).pause();
  };
  const server = createServer((near) => {
    const pair: [Socket, Socket] = [near, connect(targetPort, host)];
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const either of pair) either.destroy();
      });
    }
    if (!frozen) join(pair);
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
  const freeze = () => {
    frozen = true;
    pairs.forEach(separate);
  };
  const thaw = () => {
    frozen = false;
    pairs.forEach(join);
  };

  await restore();
  return { port, cut, restore, freeze, thaw, close: cut };
};
