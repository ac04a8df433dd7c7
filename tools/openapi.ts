/** `npm run openapi`: writes docs/openapi.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from './openapi/document.ts';
import { root } from './run-tool.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
writeFileSync(join(root, 'docs', 'openapi.json'), `${JSON.stringify(openApiDocument({ version }), undefined, 2)}\n`);
