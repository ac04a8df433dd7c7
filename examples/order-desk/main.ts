/** `node examples/order-desk/main.ts`: a desk that takes orders of three customers, and a warehouse behind a webhook. */
import { randomBytes } from 'node:crypto';
import { stdout } from 'node:process';
import { connect, RequestFailedError, register } from '../../client/index.ts';
import { startLanekeeper } from '../support/start-lanekeeper.ts';
import { openWarehouse } from './warehouse.ts';

const say = (line: string): void => void stdout.write(`${line}\n`);

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const warehouse = await openWarehouse(secret, { lamp: 5, chair: 2 }, 2);
const lanekeeper = await startLanekeeper('webhook', { WEBHOOK_URL: warehouse.url, WEBHOOK_SECRET: secret });

/** A customer's orders in their order, all in one call; then what became of each. */
const takeOrders = async (customer: string, item: string, count: number): Promise<void> => {
  const account = {
    username: `${customer}-${randomBytes(4).toString('hex')}`,
    password: randomBytes(16).toString('hex'),
  };
  await register(lanekeeper.url, account);
  const lk = await connect(lanekeeper.url, account);
  const actions = ['reserve', 'ship'];
  const requests = await lk.enqueueMany<object>(actions.map((action) => ({ action, item, count })));
  for (const [index, request] of requests.entries()) {
    const outcome = await request.result().then(
      (result) => `done ${JSON.stringify(result)}`,
      (error: unknown) => {
        if (error instanceof RequestFailedError) return `failed: ${error.message}`;
        throw error;
      },
    );
    say(`${customer} ${actions[index]} ${count} ${item}: ${outcome}`);
  }
  await lk.disconnect({ waitSeconds: 20 });
};

try {
  await Promise.all([takeOrders('ada', 'lamp', 3), takeOrders('ben', 'chair', 2), takeOrders('cleo', 'lamp', 9)]);
} finally {
  await lanekeeper.stop();
  warehouse.close();
}
