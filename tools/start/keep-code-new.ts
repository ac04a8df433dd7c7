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
  watch?: typeof watchCode;
};

/** `up` resolves when the consumer is ready for the first time. */
export type KeptConsumer = { death: Promise<never>; up: Promise<void> };

/** Without the end of its log, which was printed as it was written. */
const reasonOf = (error: Error): string => error.message.split(/ The end of .*:\n/)[0] ?? '';

/** Resolves when the consumer was started, or waits for an edit. Its `death` never settles: an edit may bring it back. */
export const keepCodeNew = async (kept: Kept): Promise<KeptConsumer> => {
  const { folders, startConsumer, isStopping, say, watch = watchCode } = kept;
  let consumer: Child | undefined;
  let isStarting = false;
  let isOutdated = false;
  const { promise: up, resolve: isUp } = Promise.withResolvers<void>();

  const onEnd = (error: Error): void => {
    consumer = undefined;
    if (!isStopping()) say('consumer', `${reasonOf(error)}\nIt starts again at the next edit.`);
  };
  const start = async (): Promise<void> => {
    isStarting = true;
    try {
      consumer = await startConsumer();
      consumer.death.catch(onEnd);
      isUp();
    } catch (error) {
      onEnd(error as Error);
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

  const watched = watch(folders, (file) => void onEdit(file));
  watched.on('error', (error) => say('start', `Edits may go unnoticed: ${(error as Error).message}`));
  await start();
  return { death: new Promise(() => undefined), up };
};
