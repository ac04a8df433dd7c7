/** As somebody's own processor might fail: far from the call, with a cause. */
import type { Processor } from 'lanekeeper';

const readPrice = (order: { price?: { amount: number } }): number => {
  try {
    return order.price!.amount;
  } catch (cause) {
    throw new RangeError('the order has no price', { cause });
  }
};

const charge: Processor = async (request, { signal }) => {
  const { hang } = request as { hang?: boolean };
  if (hang) await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  return readPrice({});
};
export default charge;
