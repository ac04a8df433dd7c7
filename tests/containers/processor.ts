/** The processor of chaos in a container. Each start of a container gets a name of its own: pids begin anew. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { env } from 'node:process';

/** When the first process of the container began, in ticks of the machine. */
const birth = readFileSync('/proc/1/stat', 'utf8').split(' ')[21];
env.CONSUMER_NAME = `${hostname()}-${birth}`;

const { default: run } = await import('../chaos/processor.ts');
export default run;
