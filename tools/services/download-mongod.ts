/** Prints the path of a mongod that is downloaded into the given folder. Ends with 1 when no data arrives for a while. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import { MongoBinary } from 'mongodb-memory-server-core';
import { makeFolder } from './private-server.ts';

const silenceMs = 6_000;
const folder = makeFolder(argv[2] ?? '.build/mongod');

const sizeOfAll = (): number => {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
};

let size = sizeOfAll();
setInterval(() => {
  const before = size;
  size = sizeOfAll();
  if (size === before) exit(1);
}, silenceMs).unref();
stdout.write(await MongoBinary.getPath({ downloadDir: folder }));
