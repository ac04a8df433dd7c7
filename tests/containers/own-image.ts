/** examples/own-image in the place of the consumer. */
import { deepStrictEqual, match } from 'node:assert/strict';
import { callApi, connectUser, type ShownEntry } from '../../tools/api-client.ts';
import { consumerImage, type Stack } from './stack.ts';

const image = 'lanekeeper-own-image';

export const runOwnImage = async (stack: Stack, say: (line: string) => void): Promise<void> => {
  say('building examples/own-image');
  await stack.up(['own-image.yml'], { CONSUMER_IMAGE: consumerImage });
  match(await stack.engine.run('image', 'inspect', '-f', '{{.Config.Env}}', image), /PROCESSOR=\.\/processor\.ts/);
  const user = await connectUser(stack.url, `own-image-${Date.now()}`);
  const settled = async (request: unknown): Promise<ShownEntry> => {
    const seq = await user.enqueue(request);
    return callApi(stack.url, `GET /requests/${seq}?wait=20`, { token: user.token });
  };
  const { status, result } = await settled({ from: 'ada', to: 'bob', cents: 5 });
  deepStrictEqual([status, (result as { transferred: number }).transferred], ['done', 5]);
  const refused = await settled({ from: 'ada' });
  deepStrictEqual([refused.status, refused.error?.message.startsWith('not a transfer: ')], ['failed', true]);
  say('examples/own-image: did a transfer and refused what was none');
};
