/** What the two servers did, from their own counters, so that nothing in the measured processes changes for it. */
import type { mongo } from 'mongoose';

export type Counts = Record<string, number>;

/** The driver's own commands are not ours. */
const driverCommands = new Set(['hello', 'isMaster', 'ismaster', 'ping', 'serverStatus', 'endSessions', 'buildInfo']);

/** Commands by name, and `updates`: one command may carry many. */
export const countStatements = async (client: mongo.MongoClient): Promise<Counts> => {
  const { metrics, opcounters } = await client.db('admin').command({ serverStatus: 1 });
  if (!metrics?.commands) throw new Error('This MongoDB does not count its commands. Name another in MONGO_STANDIN.');
  const counts: Counts = { updates: opcounters.update };
  for (const [name, counted] of Object.entries<{ total?: number }>(metrics.commands)) {
    const total = counted.total ?? 0;
    if (total > 0 && !driverCommands.has(name)) counts[`command ${name}`] = total;
  }
  return counts;
};

/** In the order of the answer to `brokerQuestion`. */
const brokerCounters = ['published', 'confirmed', 'returned', 'delivered', 'acked', 'declared', 'deleted'];

/** For `rabbitmqctl eval`: RabbitMQ's counters of messages and queues, as one list of numbers. */
export const brokerQuestion = `
  Counters = maps:values(rabbit_global_counters:overview()),
  Sum = fun(Name) -> lists:sum([maps:get(Name, Counter, 0) || Counter <- Counters]) end,
  [{_, _, _, _, _, Declared, _, Deleted}] = ets:tab2list(connection_churn_metrics),
  io:format("~w", [[Sum(messages_received_total), Sum(messages_confirmed_total),
    Sum(messages_unroutable_returned_total), Sum(messages_delivered_total), Sum(messages_acknowledged_total),
    Declared, Deleted]]).`;

export const parseBrokerAnswer = (answer: string): Counts => {
  const numbers = /\[([\d,]+)\]/.exec(answer)?.[1]?.split(',').map(Number);
  if (numbers?.length !== brokerCounters.length) throw new Error(`RabbitMQ gave no counters but: ${answer}`);
  return Object.fromEntries(brokerCounters.map((name, index) => [name, numbers[index] ?? 0]));
};

/** What was counted from `before` to `after`, for each request. */
export const difference = (after: Counts, before: Counts, requests: number): Counts =>
  Object.fromEntries(Object.entries(after).map(([name, count]) => [name, (count - (before[name] ?? 0)) / requests]));
