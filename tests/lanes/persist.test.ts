/** Work that is repeated while MongoDB is away. */
import { expect, test } from '@jest/globals';
import { StoreClosedError, StoreUnavailableError } from '../../lib/errors.ts';
import { persist } from '../../lib/lanes/persist.ts';
import { createLogger } from '../../lib/log.ts';
import { connectStore } from '../../lib/store/connection.ts';
import { testConfig } from '../support/servers.ts';

const clock = {
  after: (_ms: number, due: () => void) => {
    setImmediate(due);
    return () => {};
  },
};
const always = () => true;

test('work is repeated until MongoDB answers', async () => {
  let tries = 0;
  const work = async () => {
    tries += 1;
    if (tries < 3) throw new StoreUnavailableError('away');
    return tries;
  };
  expect(await persist(clock, always, work)).toBe(3);
});

test('work is not repeated once the connection is closed, because nothing would ever end it', async () => {
  const store = connectStore(testConfig(), createLogger('silent'));
  await store.close();
  let tries = 0;
  const work = () => {
    tries += 1;
    if (tries > 3) throw new Error('repeated');
    return store.execute(async () => 1);
  };
  await expect(persist(clock, always, work)).rejects.toBeInstanceOf(StoreClosedError);
});
