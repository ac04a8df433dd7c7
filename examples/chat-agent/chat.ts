/** `node examples/chat-agent/chat.ts NAME`: a chat with the agent of a user, at an API that runs (LANEKEEPER_API). */
import { argv, env, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { ApiError, connect, type LaneRequest, RequestCancelledError, register } from '../../client/index.ts';

/** In the place of your login. */
const logIn = async (apiUrl: string, username: string) => {
  const account = { username, password: env.CHAT_PASSWORD || 'only for this example' };
  await register(apiUrl, account).catch((error) => {
    if (!(error instanceof ApiError) || error.problem.code !== 'username-taken') throw error;
  });
  return connect(apiUrl, account);
};

const say = (line: string): void => void stdout.write(`${line}\n`);

/** Lines may come faster than answers: they wait in the user's queue. Ends with the input. */
export const chat = async (apiUrl: string, username: string): Promise<void> => {
  const lk = await logIn(apiUrl, username);
  const open = new Set<LaneRequest>();
  const answers: Promise<void>[] = [];

  const show = async (request: LaneRequest<{ answer: string }>): Promise<void> => {
    try {
      say(`agent> ${(await request.result()).answer}`);
    } catch (error) {
      say(
        error instanceof RequestCancelledError ? 'agent> (not answered)' : `agent> sorry: ${(error as Error).message}`,
      );
    }
    open.delete(request);
  };

  say(`You are ${username}. /stop takes back what was not answered yet.`);
  for await (const line of createInterface({ input: stdin })) {
    if (line === '/stop') {
      // The message that is being answered stays.
      await Promise.all([...open].map((request) => request.cancel().catch(() => undefined)));
    } else if (line.trim()) {
      const request = await lk.enqueue<{ answer: string }>({ message: line.trim() });
      open.add(request);
      answers.push(show(request));
    }
  }
  await Promise.all(answers);
  await lk.disconnect({ waitSeconds: 20 });
};

if (import.meta.main) await chat(env.LANEKEEPER_API || 'http://localhost:3000', argv[2] ?? 'ada');
