/** A host that consumes in its process, runs one request and closes. Nothing else ends it. */
import { argv, stdout } from 'node:process';
import { createLanekeeper } from '../../../lib/index.ts';

const lk = await createLanekeeper(JSON.parse(argv[2] ?? '{}'));
await lk.consume((request) => ({ got: request }));
const { seq } = await lk.enqueue('ada', 17);
stdout.write(`${JSON.stringify((await lk.result('ada', seq, { waitMs: 60_000 })).result)}\n`);
await lk.close();
