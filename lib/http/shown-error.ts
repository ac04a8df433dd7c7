/** What a client sees of the error of a run. Operators see all of it. */
import type { FunctionConfig } from '../config.ts';
import type { RunError } from '../types.ts';

export type Exposure = Pick<FunctionConfig, 'exposeErrors'>;

type ShownError = { name: string; message: string; cause?: ShownError; errors?: ShownError[] };

/** A class of errors. Any other name may be data: whoever throws an object with a `name` of its own did not mean a class. */
const className = /^[A-Z][A-Za-z0-9]{0,58}(Error|Exception)$/;

/** An error that its author did not mark keeps its class at most: its message may hold paths, addresses and passwords. */
export const shownError = ({ name, message, exposed, cause, errors }: RunError, exposure: Exposure): ShownError => {
  const isShown = (error: RunError) => exposure.exposeErrors === 'all' || error.exposed === true;
  if (!isShown({ name, message, exposed })) {
    return { name: className.test(name) ? name : 'Error', message: 'The run failed.' };
  }
  const parts = errors?.filter(isShown).map((error) => shownError(error, exposure)) ?? [];
  return {
    name,
    message,
    ...(cause && isShown(cause) && { cause: shownError(cause, exposure) }),
    ...(parts.length > 0 && { errors: parts }),
  };
};
