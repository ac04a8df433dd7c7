/**
 * The API, with a rule of the functions broken when `BREAK` names one. `functionDeps` returns the same record to every
 * function, so changing it here changes all functions.
 */
import './host-clock.ts';
import { env } from 'node:process';
import { functionDeps } from '../../lib/compose/functions.ts';
import { openBreak } from './breaks.ts';

const deps = await functionDeps();
Object.assign(deps, openBreak(env).functions(deps));
await import('../../functions/api.ts');
