import { connect } from 'node:net';

/** A connection on which a test writes what it likes. */
export const openConnection = async (port: number, localAddress?: string) => {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  const openedAt = performance.now();
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  // A connection that is reset has ended too.
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => {
    socket.once('close', () => resolve(performance.now() - openedAt));
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve).once('close', () => resolve());
  });
  return {
    send: (text: string | Buffer) => void socket.write(text),
    /** All that the server has sent so far. */
    received: () => received,
    /** Resolves to the time, in ms, until the server closed the connection. */
    closed,
    end: () => void socket.destroy(),
  };
};
