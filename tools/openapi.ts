/** `npm run openapi`: writes docs/openapi.json. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { descriptionText } from './openapi/text.ts';
import { root } from './run-tool.ts';

writeFileSync(join(root, 'docs', 'openapi.json'), descriptionText());
