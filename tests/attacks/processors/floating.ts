/**
 * Leaves rejected promises unhandled, in its run or after it, as `request.floats` says. `hostile`: errors that cannot be read. Goes on until there is a file
 * `request.until`.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Processor } from '../../../lib/processor.ts';

const throwing = () => {
  throw new Error('a getter');
};

const hostileReasons = (): unknown[] => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const getters = Object.fromEntries(
    ['cause', 'code', 'message', 'name', 'stack'].map((name) => [name, { get: throwing }] as const),
  );
  const parts = new AggregateError([proxy]);
  const list = new Proxy([], { getOwnPropertyDescriptor: () => ({ value: Symbol('9'), writable: true }) });
  return [
    Object.defineProperties(new Error('hostile'), getters),
    Object.assign(new Error('hostile'), { name: { toJSON: throwing }, code: 1n, cause: proxy }),
    Object.assign(new Error('hostile'), { message: 'x'.repeat(10_000_000) }),
    Object.defineProperty(parts, 'errors', { value: list }),
    new Proxy(new Error('hostile'), { get: throwing, getPrototypeOf: throwing, ownKeys: throwing }),
    list,
    proxy,
    Object.create(null),
    Symbol('hostile'),
    undefined,
  ];
};

const processor: Processor = async (request, { attempt }) => {
  const { floats, until } = request as { floats?: 'now' | 'later' | 'hostile'; until?: string };
  if (floats === 'now') Promise.reject(new Error('nobody awaits this'));
  if (floats === 'later') setTimeout(() => Promise.reject(new Error('nobody awaits this')), 50);
  if (floats === 'hostile') for (const reason of hostileReasons()) Promise.reject(reason);
  while (until && !existsSync(until)) await sleep(20);
  return attempt;
};
export default processor;
