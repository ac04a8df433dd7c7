/** Jest's global set-up: starts the servers that are missing. The test processes inherit the URLs. */
import { join } from 'node:path';
import { env, stdout } from 'node:process';
import { ensureServices } from '../../tools/services/ensure.ts';

export default async function setUp(): Promise<void> {
  const root = join(import.meta.dirname, '..', '..');
  const services = await ensureServices({ root, env, say: (line) => stdout.write(`${line}\n`) });
  env.RABBITMQ_URL = services.rabbitmq.url;
  env.MONGODB_URL = services.mongodb.url;
}
