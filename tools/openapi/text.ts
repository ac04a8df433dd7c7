import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../run-tool.ts';
import { openApiDocument } from './document.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');

/** The description of this checkout. `closed`: see `openApiDocument`. */
export const describeApi = (closed = false) => {
  const { version } = JSON.parse(read('package.json'));
  return openApiDocument({ version, page: read('docs/http-api.md'), closed });
};

/** What docs/openapi.json must be. */
export const descriptionText = (): string => `${JSON.stringify(describeApi(), undefined, 2)}\n`;
