import type { Middleware } from '../call.ts';
import { problemReply } from '../problem.ts';

/** Turns an error into a problem+json reply. It returns nothing, because otherwise the call log would not see the error. */
export const problemJson = (): Middleware => ({
  onError: (request) => {
    request.response = problemReply(request.error);
  },
});
