/** A host whose processor is a function that ends it during the request `crash`. It prints why that request became a dead letter. */
import { argv, stdout } from 'node:process';
import { createLanekeeper } from '../../../lib/index.ts';

const lk = await createLanekeeper({ ...JSON.parse(argv[2] ?? '{}'), logger: false });
await lk.consume((request) => {
  if (request === 'crash') process.exit(7);
  return request;
});
stdout.write(`${(await lk.result('crash', 1, { waitMs: 60_000 })).deadLetter?.reason}\n`);
await lk.close();
