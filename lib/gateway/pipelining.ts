import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import type { UploadRoom } from './upload-room.ts';

/** More than any client sends before it has read an answer. */
const maxWaiting = 100;

/** Of a body that nobody reads Node holds its buffer of 64 KiB, and what it has read from the connection at once. */
const maxUnreadBodyBytes = 131_072;

/** What the body of a call that waits may hold. */
const heldBytesOf = ({ headers }: IncomingMessage): number => {
  const declared = headers['transfer-encoding'] ? maxUnreadBodyBytes : Number(headers['content-length'] ?? 0);
  return Math.min(declared, maxUnreadBodyBytes);
};

/**
 * Serves the calls of a connection one after the other. Node would run all that a client has sent ahead (pipelining) at once: one packet
 * could start a thousand. It would also lose the answers behind the one that closes the connection, while their calls take effect. The
 * bodies of those that wait take room; a connection for which there is none is closed.
 */
export const createTurns = (room: UploadRoom): RequestHandler => {
  const waiting = new WeakMap<Socket, (() => void)[]>();
  return (request, response, next) => {
    const { socket } = request;
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
    } else if (others.length < maxWaiting) {
      const body = room.begin(() => socket.destroy());
      const begin = () => {
        room.end(body);
        start();
      };
      request.once('close', () => room.end(body));
      others.push(begin);
      room.grow(body, heldBytesOf(request));
    } else socket.destroy();
  };
};
