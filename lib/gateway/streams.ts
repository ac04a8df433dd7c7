/** Answers that are sent while they are made. */
import type { ServerResponse } from 'node:http';
import { unreadPart } from './unread-answers.ts';

/** Emitted by an answer that begins to stream: from then on it lasts as long as its client listens. */
export const streaming = 'streaming';

/** Resolves when the client has read on; false when its connection has closed. Whoever bounds the answers closes it in time. */
const readOn = (response: ServerResponse): Promise<boolean> =>
  new Promise((resolve) => {
    const onDrain = (): void => finish(true);
    const onClose = (): void => finish(false);
    const finish = (isOpen: boolean): void => {
      response.off('drain', onDrain).off('close', onClose);
      resolve(isOpen);
    };
    response.once('drain', onDrain).once('close', onClose);
    response.emit(unreadPart);
  });

/**
 * The next part is made when the client has read. The end of the parts ends the answer. An error cuts it off, and its client connects
 * again.
 */
export const sendStream = async (response: ServerResponse, parts: AsyncIterable<string>): Promise<void> => {
  response.flushHeaders();
  response.emit(streaming);
  try {
    for await (const part of parts) {
      if (response.destroyed) break;
      if (!response.write(part) && !(await readOn(response))) break;
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
};
