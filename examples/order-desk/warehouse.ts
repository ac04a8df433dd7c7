/** The webhook: a warehouse in any language that can answer a POST. It keeps stock, and is too busy now and then. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

const keyOf = (secret: string): Buffer => Buffer.from(secret.slice('whsec_'.length), 'base64');

/** As docs/webhook.md says. */
const isGenuine = (secret: string, { headers }: IncomingMessage, body: Buffer): boolean => {
  const timestamp = String(headers['webhook-timestamp']);
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false;
  const hmac = createHmac('sha256', keyOf(secret));
  const signed = hmac.update(`${headers['webhook-id']}.${timestamp}.`).update(body).digest('base64');
  const expected = Buffer.from(`v1,${signed}`);
  return String(headers['webhook-signature'])
    .split(' ')
    .map((signature) => Buffer.from(signature))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
};

type Order = { action: 'reserve' | 'ship'; item: string; count: number };
type Reply = { status: number; body: object };

/** `busyTimes`: so many calls are answered 503, and come again. */
export const openWarehouse = async (secret: string, stock: Record<string, number>, busyTimes: number) => {
  const replies = new Map<string, Reply>();
  const reserved = new Map<string, number>();
  let busy = busyTimes;

  const work = (user: string, { action, item, count }: Order): Reply => {
    const key = `${user} ${item}`;
    if (action === 'ship') {
      const held = reserved.get(key) ?? 0;
      // Its own order to reserve comes before it, always.
      if (held < count) return { status: 422, body: { error: `${count} ${item} are not reserved` } };
      reserved.set(key, held - count);
      return { status: 200, body: { shipped: count, item } };
    }
    const left = (stock[item] ?? 0) - count;
    if (left < 0) return { status: 422, body: { error: `no ${count} ${item} left` } };
    stock[item] = left;
    reserved.set(key, (reserved.get(key) ?? 0) + count);
    return { status: 200, body: { reserved: count, item, left } };
  };

  const reply = async (request: IncomingMessage): Promise<Reply> => {
    const body = await buffer(request);
    if (!isGenuine(secret, request, body)) return { status: 401, body: { error: 'who are you?' } };
    const id = String(request.headers['webhook-id']);
    const { user, request: order } = JSON.parse(body.toString());
    const before = replies.get(id);
    if (before) return before;
    if (busy > 0) {
      busy -= 1;
      return { status: 503, body: {} };
    }
    const answer = work(user, order);
    replies.set(id, answer);
    return answer;
  };

  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const { status, body } = await reply(request).catch(() => ({ status: 400, body: {} }));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`, close: () => server.close() };
};
