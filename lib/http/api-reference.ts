/** The description of the API (OpenAPI), and the page that shows it in a browser. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { sharePromise } from '../shared-promise.ts';
import type { Call } from './call.ts';
import { type StaticFile, staticFile } from './static-file.ts';

const compress = promisify(gzip);

/** The path of the page is `/docs`, perhaps below the name of a stage of API Gateway. So the addresses in it are relative. */
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Lanekeeper: HTTP API</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <noscript>This page needs JavaScript. <a href="openapi.json">openapi.json</a> is what it shows.</noscript>
    <script id="api-reference" data-url="openapi.json" data-configuration='${JSON.stringify({
      // Nothing is fetched from, or sent to, another host.
      ...{ withDefaultFonts: false, telemetry: false, hideClientButton: true },
      ...{ agent: { disabled: true }, mcp: { disabled: true }, showDeveloperTools: 'never' },
    })}'></script>
    <script src="docs/reference.js"></script>
  </body>
</html>
`;

/** Scripts and calls of this origin alone. The script adds style elements and style attributes, which no nonce can allow. */
const contentSecurityPolicy = [
  ...["default-src 'none'", "script-src 'self'", "connect-src 'self'", "style-src 'self' 'unsafe-inline'"],
  ...["img-src 'self' data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const pageHeaders = { 'content-security-policy': contentSecurityPolicy, 'referrer-policy': 'no-referrer' };

/** `npm run openapi` writes the file. */
const description = sharePromise(async () => {
  const text = await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
  return staticFile('application/json', await compress(JSON.stringify(JSON.parse(text))));
});

const referencePage = sharePromise(async () =>
  staticFile('text/html; charset=utf-8', await compress(page), pageHeaders),
);

export const apiDescription = (): Promise<StaticFile> => description.get();

/** `@scalar/api-reference`: docs/decisions/0064-the-reference-page-is-one-file.md. */
const referenceScript = sharePromise(async () =>
  staticFile('text/javascript; charset=utf-8', await readFile(new URL('./scalar/standalone.js.gz', import.meta.url))),
);

/** What the page consists of, by its route. */
export const referenceFile = ({ routeKey }: Pick<Call, 'routeKey'>): Promise<StaticFile> =>
  routeKey.endsWith('.js') ? referenceScript.get() : referencePage.get();
