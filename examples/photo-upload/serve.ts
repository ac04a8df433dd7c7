/** Serves the page with the client, and keeps the photos that it uploads: in production, a bucket. */
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const mostBytes = 10_485_760;

const inFolder = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The client as a page loads it. In a project of your own, your bundler does this. */
const bundleClient = async (): Promise<Uint8Array> => {
  const entryPoints = [inFolder('../../client/index.ts')];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: 'esm', target: 'es2022', write: false });
  return outputFiles[0]?.contents ?? new Uint8Array();
};

class TooLargeError extends Error {}

/** Passes on at most so many bytes. */
const upTo = (most: number): Transform => {
  let bytes = 0;
  return new Transform({
    transform(chunk, _encoding, next) {
      bytes += chunk.length;
      next(bytes > most ? new TooLargeError() : null, chunk);
    },
  });
};

/** A photo is there whole, or not at all. */
const keep = async (request: IncomingMessage, file: string): Promise<number> => {
  const partial = `${file}.${crypto.randomUUID()}`;
  try {
    await pipeline(request, upTo(mostBytes), createWriteStream(partial));
    await rename(partial, file);
    return 204;
  } catch (error) {
    await rm(partial, { force: true });
    return error instanceof TooLargeError ? 413 : 400;
  }
};

export type Page = { url: string; close(): void };

/** `apiUrl`: asked for when the page is loaded. */
export const servePage = async (options: { port: number; folder: string; apiUrl: () => string }): Promise<Page> => {
  const client = await bundleClient();
  const files: Record<string, [type: string, content: () => string | Uint8Array]> = {
    '/': ['text/html; charset=utf-8', () => readFileSync(inFolder('page.html'))],
    '/page.js': ['text/javascript', () => readFileSync(inFolder('page.js'))],
    '/outbox.js': ['text/javascript', () => readFileSync(inFolder('outbox.js'))],
    '/client.js': ['text/javascript', () => client],
    '/config.json': ['application/json', () => JSON.stringify({ apiUrl: options.apiUrl() })],
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const { method, url = '' } = request;
    const [type, content] = files[url] ?? [];
    if (method === 'GET' && type && content) return response.setHeader('content-type', type).end(content());
    const [, id] = /^\/photos\/([0-9a-f]{32})$/.exec(url) ?? [];
    if (!id) return response.writeHead(404).end();
    const file = join(options.folder, id);
    if (method === 'PUT') return response.writeHead(await keep(request, file)).end();
    if (method !== 'GET' || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'max-age=3600' });
    return pipeline(createReadStream(file), response);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
};
