import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';

/** More than any client sends before it has read an answer. */
const maxWaiting = 100;

/**
 * Serves the calls of a connection one after the other. Node would run all that a client has sent ahead (pipelining) at once: one packet
 * could start a thousand. It would also lose the answers behind the one that closes the connection, while their calls take effect.
 */
export const createTurns = (): RequestHandler => {
  const waiting = new WeakMap<Socket, (() => void)[]>();
  return ({ socket }, response, next) => {
    const start = () => {
      response.once('close', () => {
        const following = waiting.get(socket)?.shift();
        if (!following) waiting.delete(socket);
        else if (socket.writable) following();
      });
      next();
    };
    const others = waiting.get(socket);
    if (!others) {
      waiting.set(socket, []);
      start();
    } else if (others.length < maxWaiting) others.push(start);
    else socket.destroy();
  };
};
