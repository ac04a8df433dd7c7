/** The examples of the library, each as a process on real servers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, jest, test } from '@jest/globals';
import { cleanUp, environmentOf, testOptions } from './open.ts';

jest.setTimeout(90_000);

test.each(['embedded/server.ts', 'nest/main.mjs'])(
  'examples/%s takes orders of its own users, and stops at SIGTERM',
  async (file) => {
    const options = testOptions();
    const env = { ...environmentOf(options), LANES: String(options.lanes), PORT: '0' };
    const child = spawn(process.execPath, ['--no-warnings', `examples/${file}`], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      const [line] = await Promise.race([
        once(createInterface(child.stdout), 'line'),
        exited.then(() => Promise.reject(new Error(`${file} has exited`))),
      ]);
      const { port } = JSON.parse((line as string).replace(/^listening /, ''));
      const headers = { 'x-user': 'auth0|6571', 'content-type': 'application/json', 'idempotency-key': 'order-17' };
      const place = () =>
        fetch(`http://127.0.0.1:${port}/orders`, { method: 'POST', headers, body: JSON.stringify({ amount: 5 }) });
      expect(await (await place()).json()).toEqual({ seq: 1 });
      expect(await (await place()).json()).toEqual({ seq: 1 });
      const outcome = await fetch(`http://127.0.0.1:${port}/orders/1`, { headers });
      expect(await outcome.json()).toEqual({ status: 'done', result: { receipt: 'auth0|6571/1', amount: 5 } });
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      expect([code, signal]).toEqual(file.startsWith('nest') ? [null, 'SIGTERM'] : [0, null]);
    } finally {
      child.kill('SIGKILL');
      await cleanUp(options);
    }
  },
);
