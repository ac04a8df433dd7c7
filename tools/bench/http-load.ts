/** Enqueues over HTTP with as little work as possible on the client's side: it shares the machine with what it measures. */
import { Agent, request } from 'node:http';

export type Post = (token: string, body: string) => Promise<void>;

export const createPost = (apiUrl: string, connections: number): { post: Post; close(): void } => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(apiUrl);
  const post: Post = (token, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        authorization: `Bearer ${token}`,
      };
      const sent = request({ agent, hostname, port, method: 'POST', path: '/enqueue', headers }, (response) => {
        response.resume().once('error', reject);
        response.once('end', () => {
          if (response.statusCode === 202) resolve();
          else reject(new Error(`POST /enqueue answered ${response.statusCode}`));
        });
      });
      sent.once('error', reject).end(body);
    });
  return { post, close: () => agent.destroy() };
};
