import { functionDeps } from '../lib/compose/functions.ts';
import { decideSelected } from '../lib/http/decide.ts';
import { httpFunction } from '../lib/http/http-function.ts';
import { maxBodyBytes } from '../lib/http/input.ts';
import { retryDeadLetter } from '../lib/requests/dead-letters.ts';

/** `POST /dead-letters/retry {items | userId | all}`: runs requests put aside again. */
export const handler = httpFunction(functionDeps, {
  body: { maxBytes: maxBodyBytes },
  identity: 'operator',
}).handler((call) => decideSelected(call, retryDeadLetter));
