import { describe, expect, test } from '@jest/globals';
import { createAdmission } from '../../lib/accounts/admission.ts';

const longMs = 60_000;
const busy = { code: 'busy', status: 503, retryAfterSeconds: 1 };

/** Operations that the test ends, and the order in which they started. */
const operations = () => {
  const started: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const begin = (name: string) => () =>
    new Promise<string>((resolve, reject) => {
      started.push(name);
      ends.set(name, (error) => (error ? reject(error) : resolve(name)));
    });
  return { started, begin, end: (name: string, error?: Error) => ends.get(name)?.(error) };
};

describe('admission', () => {
  test('runs so many at a time, lets so many wait in order, and refuses the next', async () => {
    const { started, begin, end } = operations();
    const admit = createAdmission({ atOnce: 2, maxWaiting: 2, maxWaitMs: longMs });
    const admitted = ['a', 'b', 'c', 'd'].map((name) => admit(`network of ${name}`, begin(name)));
    await expect(admit('network', begin('e'))).rejects.toMatchObject(busy);
    expect(started).toEqual(['a', 'b']);
    end('b');
    await admitted[1];
    expect(started).toEqual(['a', 'b', 'c']);
    const failed = new Error('failed');
    end('a', failed);
    await expect(admitted[0]).rejects.toBe(failed);
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    end('c');
    end('d');
    await Promise.all(admitted.slice(1));
    const next = ['f', 'g'].map((name) => admit('network', begin(name)));
    expect(started.slice(4)).toEqual(['f', 'g']);
    end('f');
    end('g');
    expect(await Promise.all(next)).toEqual(['f', 'g']);
  });

  test('refuses one that has waited too long, and never starts it', async () => {
    const { started, begin, end } = operations();
    const admit = createAdmission({ atOnce: 1, maxWaiting: 1, maxWaitMs: 10 });
    const first = admit('network', begin('a'));
    await expect(admit('network', begin('b'))).rejects.toMatchObject(busy);
    end('a');
    await first;
    const last = admit('network', begin('c'));
    expect(started).toEqual(['a', 'c']);
    end('c');
    await last;
  });

  test('a network that sends many holds an eighth of the places, and another waits for one of them at the most', async () => {
    const { started, begin, end } = operations();
    const admit = createAdmission({ atOnce: 2, maxWaiting: 16, maxWaitMs: longMs });
    const flood = ['a', 'b', 'c', 'd'].map((name) => admit('flood', begin(name)));
    await expect(admit('flood', begin('e'))).rejects.toMatchObject(busy);
    const others = ['x', 'y'].map((name) => admit(`network of ${name}`, begin(name)));
    end('a');
    await flood[0];
    const again = admit('flood', begin('f'));
    for (const name of ['b', 'c', 'x']) {
      end(name);
      await (name === 'x' ? others[0] : flood['abc'.indexOf(name)]);
    }
    expect(started).toEqual(['a', 'b', 'c', 'x', 'y', 'd']);
    for (const name of ['y', 'd', 'f']) {
      await Promise.resolve();
      end(name);
    }
    await Promise.all([...flood, ...others]);
    end('f');
    await again;
  });
});
