/** Keeps the consumer's workers on the newest code, and starts the consumer again when an edit may have repaired it. */
import { relative } from 'node:path';
import { cwd } from 'node:process';
import type { Child } from '../child.ts';
import { watchCode } from './watch-code.ts';

type Kept = {
  folders: string[];
  /** Resolves when the consumer is ready. */
  startConsumer: () => Promise<Child>;
  isStopping: () => boolean;
  say: (name: string, line: string) => void;
};

/** Resolves when the consumer was started, or waits for an edit. Its `death` never settles: an edit may bring it back. */
export const keepCodeNew = async (kept: Kept): Promise<{ death: Promise<never> }> => {
  const { folders, startConsumer, isStopping, say } = kept;
  let consumer: Child | undefined;
  let isStarting = false;
  let isOutdated = false;

  const onEnd = (): void => {
    consumer = undefined;
    if (!isStopping()) say('consumer', 'ended. It starts again at the next edit.');
  };
  const start = async (): Promise<void> => {
    isStarting = true;
    try {
      consumer = await startConsumer();
      consumer.death.catch(onEnd);
    } catch {
      onEnd();
    }
    isStarting = false;
    if (isOutdated) await onEdit();
  };
  const onEdit = async (file?: string): Promise<void> => {
    isOutdated = isStarting;
    if (isStarting || isStopping()) return;
    if (file) say('consumer', `${relative(cwd(), file)} changed`);
    if (consumer) consumer.reload();
    else await start();
  };

  const watched = watchCode(folders, (file) => void onEdit(file));
  watched.on('error', (error) => say('start', `Edits may go unnoticed: ${(error as Error).message}`));
  await start();
  return { death: new Promise(() => undefined) };
};
