// A project's own code, in plain JavaScript: one import, one call. The URLs come from its configuration.
import { stdout } from 'node:process';
import { createLanekeeper } from 'lanekeeper';

await using lanekeeper = await createLanekeeper({ env: process.env });
stdout.write(`${JSON.stringify(await lanekeeper.enqueue('auth0|6571', { amount: 5 }))}\n`);
