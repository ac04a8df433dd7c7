/** How the gateway stops: what has begun ends, nothing new begins, and a connection without a call is closed. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { problemReply } from '../http/problem.ts';
import { DrainingError } from './errors.ts';

/** For what is on its way when the drain begins. It is refused, which tells the client more than a reset. */
const lastCallMs = 1_000;

export type Drain = {
  /** Goes before all routes: it refuses what comes after the drain began. */
  refuse: RequestHandler;
  /** From now on every answer closes its connection. */
  begin(): void;
};

export const createDrain = (server: Server): Drain => {
  const connected = new Set<Socket>();
  const answering = new Map<ServerResponse, Socket>();
  let isDraining = false;
  server.on('connection', (socket: Socket) => {
    connected.add(socket);
    socket.once('close', () => connected.delete(socket));
  });
  /** Node closes those that wait for their next request, and not those that have never sent a whole one. */
  const closeUnused = (): void => {
    const used = new Set(answering.values());
    for (const socket of connected) if (!used.has(socket)) socket.destroy();
  };
  return {
    refuse: ({ socket }, response, next) => {
      if (isDraining) {
        const error = new DrainingError();
        const { statusCode = 503, headers, body } = problemReply(error);
        response.locals.code = error.code;
        response.writeHead(statusCode, { ...(headers as Record<string, string>), connection: 'close' }).end(body);
        return;
      }
      answering.set(response, socket);
      response.once('close', () => {
        answering.delete(response);
        // The head of this answer may have said that the connection is kept.
        if (isDraining) socket.destroySoon();
      });
      next();
    },
    begin() {
      isDraining = true;
      for (const response of answering.keys()) response.shouldKeepAlive = false;
      setTimeout(closeUnused, lastCallMs);
    },
  };
};
