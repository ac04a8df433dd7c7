/** The API with a rule of the functions broken: `functionDeps` gives every function the same record, which is changed here. */
import { env } from 'node:process';
import { functionDeps } from '../../lib/compose/functions.ts';
import { openBreak } from './breaks.ts';

const deps = await functionDeps();
Object.assign(deps, openBreak(env).functions(deps));
await import('../../functions/api.ts');
