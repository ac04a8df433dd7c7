/** `node examples/chat-agent/main.ts [NAME]`: Lanekeeper with the agent, and a chat. Ends with the input (Ctrl-D). */
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { startLanekeeper } from '../support/start-lanekeeper.ts';
import { chat } from './chat.ts';

const lanekeeper = await startLanekeeper(fileURLToPath(new URL('processor.ts', import.meta.url)));
stdout.write(
  `Another user, in another terminal: LANEKEEPER_API=${lanekeeper.url} node examples/chat-agent/chat.ts ben\n`,
);
try {
  await chat(lanekeeper.url, argv[2] ?? 'ada');
} finally {
  await lanekeeper.stop();
}
