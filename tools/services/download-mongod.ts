/** Prints the path of a real mongod, downloaded into the folder given; ends with 1 when nothing arrives for a while. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { MongoBinary } from 'mongodb-memory-server-core';
import { makeFolder } from './private-server.ts';

const silenceMs = 6_000;

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce(
    (sum, name) => sum + statSync(join(folder, name)).size,
    0,
  );

const folder = makeFolder(argv[2] ?? '.build/mongod');
let size = sizeOf(folder);

const giveUpWhenSilent = (): void => {
  const now = sizeOf(folder);
  if (now === size) {
    stderr.write(`nothing arrived for ${silenceMs / 1_000} s\n`);
    exit(1);
  }
  size = now;
};

setInterval(giveUpWhenSilent, silenceMs).unref();
stdout.write(`${await MongoBinary.getPath({ downloadDir: folder })}\n`);
