import { functionDeps } from '../lib/compose/functions.ts';
import { decideSelected } from '../lib/http/decide.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxBodyBytes } from '../lib/http/input.ts';
import { dropDeadLetter } from '../lib/requests/dead-letters.ts';

/** `POST /dead-letters/drop {items | userId | all}`: takes requests off the dead letters; a blocked one is skipped. */
export const handler = httpFunction(functionDeps, {
  body: { maxBytes: maxBodyBytes },
  identity: 'operator',
}).handler((call) => decideSelected(call, dropDeadLetter));
