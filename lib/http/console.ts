/** The console: pages for operators and users, as static files. They make the same public calls as any other client. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { AppError } from '../errors.ts';
import { sharePromise } from '../shared-promise.ts';
import type { Call } from './call.ts';
import { type StaticFile, staticFile } from './static-file.ts';

const compress = promisify(gzip);

/** Scripts, styles and calls of this origin alone, none of them inline. */
const contentSecurityPolicy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const pageHeaders = { 'content-security-policy': contentSecurityPolicy, 'referrer-policy': 'no-referrer' };

/** Thrown in a checkout where nothing has built the console yet. */
class ConsoleNotBuiltError extends AppError {
  constructor(cause: unknown) {
    super('The console is not built. `npm start` builds it, and so does `npm run console:build`.', {
      ...{ code: 'not-found', status: 404, cause },
    });
  }
}

/** `npm run console:build` writes the files; images and the package contain them. */
const builtFile = (name: string, contentType: string, headers?: Record<string, string>) =>
  sharePromise(async () => {
    const content = await readFile(new URL(`../../dist/console/${name}`, import.meta.url)).catch((error) => {
      throw error.code === 'ENOENT' ? new ConsoleNotBuiltError(error) : error;
    });
    return staticFile(`${contentType}; charset=utf-8`, await compress(content), headers);
  });

const files: Record<string, ReturnType<typeof builtFile>> = {
  'GET /console': builtFile('index.html', 'text/html', pageHeaders),
  'GET /console/console.js': builtFile('console.js', 'text/javascript'),
  'GET /console/console.css': builtFile('console.css', 'text/css'),
};

/** What the console consists of, by its route. */
export const consoleFile = ({ routeKey }: Pick<Call, 'routeKey'>): Promise<StaticFile> => {
  const file = files[routeKey];
  if (!file) throw new Error(`No file has the route ${routeKey}.`);
  return file.get();
};
