/** Jest's global set-up: starts the servers that are missing. The test processes inherit the URLs. */
import { join } from 'node:path';
import { env } from 'node:process';
import { root, say } from '../../tools/run-tool.ts';
import { ensureServices } from '../../tools/services/ensure.ts';

export default async function setUp(): Promise<void> {
  const services = await ensureServices({ root, env, say, explain: true });
  env.RABBITMQ_URL = services.rabbitmq.url;
  env.MONGODB_URL = services.mongodb.url;
  // Databases of tests are new: the processes that tests start create the indexes themselves.
  env.AUTO_MIGRATE = '1';
  // Tests start hundreds of processes. Each needs about half as long when the code that it loads is compiled already.
  env.NODE_COMPILE_CACHE ??= join(root, '.data', 'compile-cache');
}
