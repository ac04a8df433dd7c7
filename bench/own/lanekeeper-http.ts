/** Lanekeeper over HTTP: the API is a process of its own, and the client is as lean as it can be with Node's own HTTP. */
import { Agent, request } from 'node:http';
import process from 'node:process';
import jwt from 'jsonwebtoken';
import { environmentOf, userOf } from '../lanekeeper.ts';
import type { Contender } from '../sides.ts';
import { loadFunctions } from './lanekeeper.ts';
import { writeUsers } from './lanekeeper-users.ts';

const tokenHours = 12;

const post = (agent: Agent, url: string, token: string, body: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${token}`,
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject).on('end', () => {
        if (response.statusCode === 202) return resolve();
        reject(new Error(`The API answered ${response.statusCode}: ${Buffer.concat(chunks)}`));
      });
    });
    sent.on('error', reject).end(body);
  });

export const openClient: Contender['openClient'] = async (place) => {
  const environment = environmentOf(place);
  Object.assign(process.env, environment, { LOG_LEVEL: 'error' });
  const { functionDeps, closeFunctionDeps } = await loadFunctions(place.checkout);
  const deps = await functionDeps();
  await writeUsers(place, deps.userQueues, deps.config.lanes);
  await closeFunctionDeps();
  const exp = Math.floor(Date.now() / 1_000) + tokenHours * 3_600;
  const tokens = Array.from({ length: place.users }, (_, user) => {
    const { userId, sessionId } = userOf(user);
    return jwt.sign({ sub: userId, sid: sessionId, exp }, environment.JWT_SECRET as string, { noTimestamp: true });
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    send: (job) => post(agent, `${place.apiUrl}/enqueue`, tokens[job.user] as string, JSON.stringify({ request: job })),
    close: async () => agent.destroy(),
  };
};
