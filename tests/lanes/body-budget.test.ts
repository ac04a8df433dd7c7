/** How many bytes of bodies a worker holds, and who gets room for them. */
import { expect, test } from '@jest/globals';
import { BodyBudget } from '../../lib/lanes/body-budget.ts';
import { delivery, message, user } from './one-user.ts';

const mib = 1_024 * 1_024;
/** 1 KiB in memory. */
const text = 'x'.repeat(512);

test('what waits takes at most half of the budget, and later requests leave half of that to the next ones of other users', () => {
  const budget = new BodyBudget(4_096);
  const later = [budget.hold(text, false), budget.hold(text, false)];
  expect(later.map((body) => body?.text)).toEqual([text, undefined]);
  const next = [budget.hold(text, true), budget.hold(text, true)];
  expect(next.map((body) => body?.text)).toEqual([text, undefined]);
  expect(budget.bytes).toBe(2_048);
});

test('a body that is freed, once or twice, makes room for one other', () => {
  const budget = new BodyBudget(4_096);
  const body = budget.hold(text, true);
  body?.free();
  body?.free();
  expect(budget.bytes).toBe(0);
});

test('room that is set aside for reads counts until it is given back', () => {
  const budget = new BodyBudget(8 * mib);
  const { bodies, giveBack } = budget.setAside(8);
  expect([bodies, budget.bytes]).toEqual([4, 2 * mib]);
  expect(budget.setAside(8).bodies).toBe(1);
  giveBack();
  giveBack();
  expect(budget.bytes).toBe(mib / 2);
});

test('users with a slot get room in their turn, however many bodies wait; without any room, one of them does', async () => {
  const budget = new BodyBudget(mib);
  while (budget.hold(text, true));
  const order: string[] = [];
  const take = async (name: string) => {
    const free = await budget.turn();
    order.push(name);
    return free;
  };
  const first = await take('first');
  const [second, third] = [take('second'), take('third')];
  await Promise.resolve();
  expect(order).toEqual(['first']);
  first();
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['first', 'second', 'third']);
  await expect(new BodyBudget(0).turn()).resolves.toBeDefined();
});

test('a message without room is kept unacknowledged and without its body, so that the rest of the queue stays in RabbitMQ', () => {
  const u = { ...user(), bodies: new BodyBudget(0) };
  const late = delivery();
  u.held.addMessage(message(1), late, 0, (body) => u.bodies.hold(body, true));
  expect([late.count, u.held.seqs(), u.held.bodyOf(1)]).toEqual([0, [1], undefined]);
});

test('nothing is held for a user that is served here no longer', () => {
  const budget = new BodyBudget(mib);
  const u = { ...user(), bodies: budget };
  const hold = (body: string) => budget.hold(body, true);
  u.held.addMessage(message(1), delivery(), 0, hold);
  u.held.close();
  u.held.addMessage(message(2), delivery(), 0, hold);
  expect(budget.bytes).toBe(0);
});
