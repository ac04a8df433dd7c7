/** `node examples/embedded/server.ts`, with MONGODB_URL and RABBITMQ_URL in the environment. */
import { once } from 'node:events';
import process from 'node:process';
import { createLanekeeper } from 'lanekeeper';
import { createApp, processOrder } from './app.ts';

const lanekeeper = await createLanekeeper({ env: process.env });
await lanekeeper.consume(processOrder, { concurrency: 64 });
const server = createApp(lanekeeper).listen(Number(process.env.PORT ?? 3_000));
await once(server, 'listening');
process.stdout.write(`listening ${JSON.stringify(server.address())}\n`);

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
server.close();
server.closeAllConnections();
// Hands the lanes to the other instances, and lets the runs under way end.
await lanekeeper.close();
