import { Command } from 'commander';

/** `lanekeeper consumer`: the primary of the consumer, until SIGTERM. Its workers run functions/consumer.ts. */
export const command = (): Command =>
  new Command().action(async () => {
    await import('../../functions/consumer.ts');
  });
