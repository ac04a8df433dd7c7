/** A back end with users of its own: it enqueues for them, and runs their requests in the same process. */
import express, { type Express } from 'express';
import type { Lanekeeper, Processor } from 'lanekeeper';
import { UnrecoverableError } from 'lanekeeper';

/** A user's orders run one after the other, whichever instance of this back end took them. */
export const processOrder: Processor = (request, { user, seq, logger }) => {
  const { amount } = request as { amount?: number };
  if (!amount) throw new UnrecoverableError('amount is missing');
  logger.info({ amount }, 'order processed');
  return { receipt: `${user}/${seq}`, amount };
};

/** Your own authentication goes here: it says who calls, and that is the user's reference. */
const userOf = (request: express.Request): string => request.get('x-user') ?? 'nobody';

export const createApp = (lanekeeper: Lanekeeper): Express => {
  const app = express();
  app.use(express.json());

  app.post('/orders', async (request, response) => {
    // The client's own id of the order, so that a repeated call is the same order.
    const options = { key: request.get('idempotency-key') };
    const { seq } = await lanekeeper.enqueue(userOf(request), request.body, options);
    response.status(202).location(`/orders/${seq}`).json({ seq });
  });

  app.get('/orders/:seq', async (request, response) => {
    const left = new AbortController();
    response.on('close', () => left.abort());
    const { status, result } = await lanekeeper.result(userOf(request), Number(request.params.seq), {
      waitMs: 10_000,
      signal: left.signal,
    });
    response.json({ status, result });
  });

  // An error of Lanekeeper says by its status whose fault it is.
  const onError: express.ErrorRequestHandler = (error, _request, response, _next) => {
    const { status = 500, code = 'internal-error', expose = false, message } = error;
    response.status(status).json({ code, detail: expose ? message : undefined });
  };
  return app.use(onError);
};
