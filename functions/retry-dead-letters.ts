import { functionDeps } from '../lib/compose/functions.ts';
import { decideSelected } from '../lib/http/decide-selected.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxTextBytes } from '../lib/http/input.ts';

/** `POST /dead-letters/retry {items | user | all}`: runs dead letters again. */
export const handler = httpFunction(functionDeps, {
  json: { maxBytes: maxTextBytes },
  identity: 'operator',
}).handler((call) => decideSelected(call, 'retry'));
