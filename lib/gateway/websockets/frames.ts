import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Upload, UploadRoom } from '../upload-room.ts';

/** Why the gateway closes a connection (RFC 6455). From 4000 on they are ours. */
export const closeCodes = {
  /** This process stops. Connect again: another one answers. */
  goingAway: 1001,
  unsupportedData: 1003,
  /** The client sends faster than it may. */
  policy: 1008,
  /** There is no room for more messages now. */
  tryAgainLater: 1013,
  /** The session or the token has ended. Connect with a token that is good. */
  sessionEnded: 4401,
} as const;

/** Whoever does not take a frame for this long is gone. */
const takenWithinMs = 60_000;

/** Messages that wait behind the one that is answered. Above it nothing more is read. */
const maxWaiting = 16;

/** One packet may hold many small messages, which are read together. */
const mostInPacket = 1_000;

/** How many messages a client may send at once, and per second after that. */
const burst = 200;
const perSecond = 100;

/** What control frames leave behind is no message. */
const controlBytes = 1_024;

/** Resolves when the frame was handed to the network, or the connection has closed. So a client that does not read gets nothing more. */
export const sendFrame = (ws: WebSocket, frame: string): Promise<void> =>
  new Promise((resolve) => {
    if (ws.readyState !== WebSocket.OPEN) {
      resolve();
      return;
    }
    const giveUp = setTimeout(() => ws.terminate(), takenWithinMs);
    ws.send(frame, () => {
      clearTimeout(giveUp);
      resolve();
    });
  });

/** Returns how long the next message has to wait, in ms. */
const createPace = (): (() => number) => {
  const everyMs = 1_000 / perSecond;
  let freeAt = 0;
  return () => {
    const now = performance.now();
    freeAt = Math.max(freeAt, now - burst * everyMs) + everyMs;
    return Math.max(0, freeAt - now);
  };
};

/** What the parts of a message that is not complete yet take of the room for uploads. */
const countParts = (ws: WebSocket, socket: NodeJS.EventEmitter, room: UploadRoom, refuse: () => void): (() => void) => {
  let parts: Upload | undefined;
  const end = (): void => {
    if (parts) room.end(parts);
    parts = undefined;
  };
  const endControl = (): void => {
    if (parts && parts.bytes < controlBytes) end();
  };
  socket.on('data', (chunk: Buffer) => {
    parts ??= room.begin(refuse);
    room.grow(parts, chunk.length);
  });
  ws.on('ping', endControl).on('pong', endControl).once('close', end);
  return end;
};

export type Answers = {
  /** Returns the frame that answers a message; none when the connection is about to close. Does not reject. */
  answer(text: string): Promise<string | undefined>;
  /** All messages that have come are answered. */
  answered(): void;
};

/** `isPaused`: nothing is read now, because messages wait. */
export type Line = { isPaused(): boolean; isAnswering(): boolean };

/**
 * Answers the messages of a connection one after the other, in their order. A message that waits takes room; a connection for which there is
 * none is closed.
 *
 * @param socket the one below `ws`.
 */
export const answerMessages = (
  ws: WebSocket,
  socket: NodeJS.EventEmitter,
  room: UploadRoom,
  { answer, answered }: Answers,
): Line => {
  const waiting: { text: string; upload: Upload }[] = [];
  const nextMs = createPace();
  let isAnswering = false;
  const refuse = (): void => ws.close(closeCodes.tryAgainLater, 'Too many messages are being sent here.');
  const partsEnded = countParts(ws, socket, room, refuse);

  const answerAll = async (): Promise<void> => {
    isAnswering = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      room.end(next.upload);
      if (waiting.length <= maxWaiting) ws.resume();
      const waitMs = nextMs();
      if (waitMs > 0) await pause(waitMs);
      const frame = ws.readyState === WebSocket.OPEN ? await answer(next.text) : undefined;
      if (frame !== undefined) await sendFrame(ws, frame);
    }
    isAnswering = false;
    answered();
  };

  ws.on('message', (data: Buffer, isBinary) => {
    partsEnded();
    if (isBinary) ws.close(closeCodes.unsupportedData, 'Send messages as text.');
    else if (waiting.length >= mostInPacket) ws.close(closeCodes.policy, 'Wait for answers.');
    else {
      const upload = room.begin(refuse);
      waiting.push({ text: data.toString(), upload });
      room.grow(upload, data.length);
      if (waiting.length > maxWaiting) ws.pause();
      if (!isAnswering) void answerAll();
    }
  });
  return { isPaused: () => ws.isPaused, isAnswering: () => isAnswering };
};
