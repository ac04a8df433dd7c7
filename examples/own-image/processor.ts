import { type Processor, UnrecoverableError } from 'lanekeeper';
import { z } from 'zod';

/** Checks the request with a package of its own, before it does anything. */
const transfer = z.object({ from: z.string(), to: z.string(), cents: z.int().positive() });

const processor: Processor = (request, { user, seq }) => {
  const { data, error } = transfer.safeParse(request);
  if (!data) throw new UnrecoverableError(`not a transfer: ${error.issues.map(({ message }) => message).join(', ')}`);
  return { transferred: data.cents, reference: `${user}:${seq}` };
};

export default processor;
