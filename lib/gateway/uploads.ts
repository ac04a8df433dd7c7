import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { BusyError } from '../errors.ts';
import { InvalidRequestError, RequestTooLargeError } from '../http/errors.ts';
import { UnsupportedEncodingError } from './errors.ts';
import type { UploadRoom } from './upload-room.ts';

const tooMany = 'Too many bodies are being sent at the same time (MAX_UPLOAD_BYTES). Send the call again.';

/** Doubles the buffer. To keep the pieces instead would cost far more than their bytes: a client may send each byte in a chunk. */
const grown = (buffer: Buffer, size: number, needed: number, maxBytes: number): Buffer => {
  const larger = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(needed, 2 * buffer.length)));
  buffer.copy(larger, 0, 0, size);
  return larger;
};

/** Reads a body, and holds at most about twice its bytes. `grow` hears of each byte that it holds more. */
const collect = (request: IncomingMessage, maxBytes: number, grow: (bytes: number) => void) => {
  let buffer: Buffer = Buffer.alloc(0);
  let size = 0;
  let stop: (error: Error) => void = () => undefined;
  const body = new Promise<Buffer>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      const needed = size + chunk.length;
      if (needed > maxBytes) {
        stop(new RequestTooLargeError('The body', maxBytes));
        return;
      }
      if (needed > buffer.length) {
        const larger = grown(buffer, size, needed, maxBytes);
        const bytes = larger.length - buffer.length;
        buffer = larger;
        grow(bytes);
      }
      chunk.copy(buffer, size);
      size = needed;
    };
    stop = (error) => {
      request.off('data', onData);
      // The rest is thrown away as it comes.
      request.resume();
      buffer = Buffer.alloc(0);
      reject(error);
    };
    const onGone = (): void => stop(new InvalidRequestError('The body could not be read.'));
    request
      .on('data', onData)
      .once('end', () => {
        // It comes after each call, and an error costs its stack.
        request.off('close', onGone);
        resolve(buffer.subarray(0, size));
      })
      .once('error', onGone)
      .once('close', onGone);
  });
  return { body, stop };
};

const ended = (request: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    if (request.readableEnded || request.destroyed) resolve();
    else request.once('end', resolve).once('close', resolve);
  });

/**
 * Reads the bodies of calls into `request.body`, as far as there is room.
 *
 * @returns a handler for each route, by the most bytes that its function accepts. With 0 it reads nothing.
 */
export const createUploads = (room: UploadRoom) => {
  const read = async (request: Request, maxBytes: number): Promise<Buffer> => {
    const upload = room.begin(() => reading.stop(new BusyError(tooMany)));
    const reading = collect(request, maxBytes, (bytes) => room.grow(upload, bytes));
    if (Number(request.headers['content-length']) > maxBytes)
      reading.stop(new RequestTooLargeError('The body', maxBytes));
    try {
      return await reading.body;
    } finally {
      room.end(upload);
    }
  };

  return (maxBytes: number): RequestHandler =>
    async (request, response, next) => {
      if (maxBytes === 0) {
        request.resume();
        next();
        return;
      }
      if ((request.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
        throw new UnsupportedEncodingError();
      try {
        request.body = await read(request, maxBytes);
      } catch (error) {
        if (error instanceof BusyError) response.setHeader('connection', 'close');
        // Most clients read no answer before they have sent everything.
        if (error instanceof RequestTooLargeError) await ended(request);
        throw error;
      }
      next();
    };
};
