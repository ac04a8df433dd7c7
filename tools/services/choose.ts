/** Which server is used: the first of some ways, in their order, that leads to one. */

/** `startedNow` is true when this call made it run. */
export type Found = { url: string; label: string; startedNow?: boolean; queuePrefix?: string };

/** Why a way does not lead to a server here; the next one is tried. */
export type Refused = { refused: string };

export type Way = {
  name: string;
  /** A rejection counts as a refusal, with the error's message; only a `NoServerError` ends the search. */
  find(): Promise<Found | Refused>;
};

export type Choice = Found & { way: string; why: string };

/** Thrown when there is no server to use. The message says why, and what to do. */
export class NoServerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoServerError';
  }
}

const attempt = async (way: Way): Promise<Found | Refused> => {
  try {
    return await way.find();
  } catch (error) {
    if (error instanceof NoServerError) throw error;
    return { refused: error instanceof Error ? error.message : String(error) };
  }
};

const isRefused = (answer: Found | Refused): answer is Refused => 'refused' in answer;

/** @throws {NoServerError} that lists each way's reason, when every way refuses. */
export const choose = async (server: string, ways: Way[], remedy: string): Promise<Choice> => {
  const reasons: string[] = [];
  for (const way of ways) {
    const answer = await attempt(way);
    if (!isRefused(answer)) return { ...answer, way: way.name, why: reasons.join('; ') };
    reasons.push(answer.refused);
  }
  throw new NoServerError(`No ${server}:\n${reasons.map((reason) => `  - ${reason}`).join('\n')}\n${remedy}`);
};
