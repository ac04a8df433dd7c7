/** Part of `npm run openapi`: writes client/api.ts, or the given file, from docs/openapi.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { root } from './run-tool.ts';

// openapi-typescript needs the compiler's API, which TypeScript 7.0 does not have. "Are the types wrong" brings an older one along.
const older = createRequire(import.meta.resolve('@arethetypeswrong/core')).resolve('typescript');
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === 'typescript' ? pathToFileURL(older).href : specifier, context),
});
const { default: generate, astToString } = await import('openapi-typescript');

const description = JSON.parse(readFileSync(join(root, 'docs', 'openapi.json'), 'utf8'));
const text = `/** Written by \`npm run openapi\` from docs/openapi.json. */\n${astToString(await generate(description))}`;
writeFileSync(argv[2] ?? join(root, 'client', 'api.ts'), text);
