/** examples/own-image in the place of the consumer. */
import { deepStrictEqual, match } from 'node:assert/strict';
import type { RequestState } from '../../client/index.ts';
import { connectNewUser } from '../../tools/new-user.ts';
import { consumerImage, type Stack } from './stack.ts';

const image = 'lanekeeper-own-image';

export const runOwnImage = async (stack: Stack, say: (line: string) => void): Promise<void> => {
  say('building examples/own-image');
  await stack.up(['own-image.yml'], { CONSUMER_IMAGE: consumerImage });
  match(await stack.engine.run('image', 'inspect', '-f', '{{.Config.Env}}', image), /PROCESSOR=\.\/processor\.ts/);
  const user = await connectNewUser(stack.url, `own-image-${Date.now()}`);
  const settled = async (body: unknown): Promise<RequestState> => {
    const request = await user.enqueue(body);
    await request.result().catch(() => undefined);
    return request.state();
  };
  const { status, result } = await settled({ from: 'ada', to: 'bob', cents: 5 });
  deepStrictEqual([status, (result as { transferred: number }).transferred], ['done', 5]);
  const refused = await settled({ from: 'ada' });
  deepStrictEqual([refused.status, refused.error?.message.startsWith('not a transfer: ')], ['failed', true]);
  say('examples/own-image: did a transfer and refused what was none');
};
