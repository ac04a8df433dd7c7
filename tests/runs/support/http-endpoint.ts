/** An HTTP server that records the requests it receives. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { type HttpServer, startHttpServer } from '../../support/http-server.ts';

export type Received = {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
};

export type HttpEndpoint = HttpServer & { received: Received[] };

export const openHttpEndpoint = async (
  answer: (response: ServerResponse, count: number) => void,
): Promise<HttpEndpoint> => {
  const received: Received[] = [];
  const server = await startHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      received.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
      answer(response, received.length);
    });
  });
  return { ...server, url: `${server.url}/hook`, received };
};
