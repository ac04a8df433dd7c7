/**
 * Which server is used: the first in a list of ways that leads to one. By hand, because the reasons are the point: what was
 * taken, and why nothing before it was.
 */
import { ExecaError } from 'execa';

/** `startedNow` is true when this command started it. `hasRoleUsers`: RabbitMQ has a user for each role (`urlForRole`). */
export type Found = { url: string; label: string; startedNow?: boolean; queuePrefix?: string; hasRoleUsers?: boolean };

/** Why a way leads to no server here. The next way is tried. */
export type Refused = { refused: string };

export type Way = {
  name: string;
  /** A rejection counts as a refusal with the error's message. Only a `NoServerError` ends the search. */
  find(): Promise<Found | Refused>;
};

/** `why`: the reasons against each way before it. */
export type Choice = Found & { way: string; why: string[] };

/** Thrown when there is no server to use. The message says why, and what to do. */
export class NoServerError extends Error {}

/** One line: of a failed command, the last that it printed. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof ExecaError)) return error instanceof Error ? error.message : String(error);
  const printed = String(error.stderr ?? '')
    .trim()
    .split('\n')
    .at(-1);
  return error.timedOut || !printed ? error.shortMessage : `${error.command}: ${printed}`;
};

const attempt = async (way: Way): Promise<Found | Refused> => {
  try {
    return await way.find();
  } catch (error) {
    if (error instanceof NoServerError) throw error;
    return { refused: reasonOf(error) };
  }
};

/** @throws {NoServerError} with the reason of each way, when every way refuses. */
export const choose = async (server: string, ways: Way[], remedy: string): Promise<Choice> => {
  const reasons: string[] = [];
  for (const way of ways) {
    const answer = await attempt(way);
    if (!('refused' in answer)) return { ...answer, way: way.name, why: reasons };
    reasons.push(answer.refused);
  }
  throw new NoServerError(`No ${server}:\n${reasons.map((reason) => `  - ${reason}`).join('\n')}\n${remedy}`);
};
