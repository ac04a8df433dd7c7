/** Clients that cost the API as much as they can: they log in with names that do not exist, and hang up before they have an answer. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from './random.ts';

const callTimeoutMs = 20_000;

/** Logs in with so many unknown names at the same time. Resolves to the statuses of the answers. */
export const stormLogins = async (url: string, count: number, random: Random): Promise<number[]> => {
  const logIn = async (): Promise<number[]> => {
    const body = JSON.stringify({ username: `nobody-${random.between(0, 2 ** 40)}`, password: 'wrong all the same' });
    const headers = { 'content-type': 'application/json' };
    const options = { method: 'POST', headers, body, signal: AbortSignal.timeout(callTimeoutMs) };
    return fetch(`${url}/login`, options).then(
      async (response) => {
        await response.arrayBuffer();
        return [response.status];
      },
      () => [],
    );
  };
  return (await Promise.all(Array.from({ length: count }, logIn))).flat();
};

/** What a client sends before it hangs up. The last one says nothing at all. */
const beginnings = (token: string, seq: number): string[] => [
  `GET /requests/${seq}?wait=20 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`,
  `POST /enqueue HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 200000\r\n\r\n{"request":"`,
  'GET /queue HTTP/1.1\r\nhost: x\r\nx-slow: ',
  '',
];

/** A request that is pending, and a token of its user. */
export type Pending = { seq: number; token: string };

/** Opens so many connections, and closes each in the middle of its call. Resolves to how many were opened. */
export const hangUp = async (url: string, pending: Pending[], count: number, random: Random): Promise<number> => {
  const { hostname, port } = new URL(url);
  const callOnce = async (): Promise<boolean> => {
    const socket = connect(Number(port), hostname);
    const opened = new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    // The API may close it first.
    socket.on('error', () => undefined);
    if (!(await opened)) return false;
    const { token, seq } = pending.length > 0 ? random.pick(pending) : { token: 'none', seq: 1 };
    socket.write(random.pick(beginnings(token, seq)));
    await pause(random.between(0, 300));
    if (random.chance(0.5)) socket.resetAndDestroy();
    else socket.destroy();
    return true;
  };
  const opened = await Promise.all(Array.from({ length: count }, callOnce));
  return opened.filter(Boolean).length;
};
