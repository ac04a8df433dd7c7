import type { Middleware } from '../call.ts';
import { problemReply } from '../problem.ts';

/** Turns whatever was thrown into a problem+json reply. It returns nothing, so that the request log still sees the error. */
export const problemJson = (): Middleware => ({
  onError: (request) => {
    request.response = problemReply(request.error);
  },
});
