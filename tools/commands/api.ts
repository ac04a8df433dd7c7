import { Command } from 'commander';

/** `lanekeeper api`: the HTTP API, until SIGTERM. */
export const command = (): Command =>
  new Command().action(async () => {
    await import('../../functions/api.ts');
  });
