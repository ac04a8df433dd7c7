/** `npm run console:build`: makes the files of the console, which the API serves. `npm start` does so itself. */
import { stdout } from 'node:process';
import { buildConsole } from './bundle/console.ts';
import { root } from './run-tool.ts';

const bytes = await buildConsole(root);
stdout.write(`The console is in dist/console: ${Math.ceil(bytes / 1000)} kB with gzip\n`);
