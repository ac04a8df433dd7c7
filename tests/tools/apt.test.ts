/** The announcement of an installation and the question before it. Nothing is installed here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { root } from '../../tools/run-tool.ts';
import { announceInstall } from '../../tools/services/apt.ts';
import { NoServerError } from '../../tools/services/choose.ts';
import { findBinary } from '../../tools/services/processes.ts';
import { eventually } from '../support/world.ts';

/** Answers each question, and notes what was said and asked, in this order. */
const person = (answer: string) => {
  const heard: string[] = [];
  return {
    heard,
    say: (_name: string, line: string) => void heard.push(line),
    ask: async (question: string) => {
      heard.push(question);
      return answer;
    },
  };
};

describe('before apt installs RabbitMQ', () => {
  test('a person reads what will be installed and what is changed meanwhile, and is asked', async () => {
    const { heard, say, ask } = person('y');
    await announceInstall({ say, ask });
    expect(heard[0]).toMatch(/rabbitmq-server and the Erlang/);
    expect(heard[1]).toMatch(/policy-rc\.d keeps .* system service.*restored/);
    expect(heard.findIndex((line) => line.includes('[Y/n]'))).toBe(2);
  });

  test.each(['', 'y', 'Y', ' yes '])('the answer "%s" is a yes', async (answer) => {
    await expect(announceInstall(person(answer))).resolves.toBeUndefined();
  });

  test.each(['n', 'no', 'N', 'later'])(
    'the answer "%s" is a no, which says what to install by hand',
    async (answer) => {
      const error = await announceInstall(person(answer)).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NoServerError);
      expect(String(error)).toMatch(/apt-get install rabbitmq-server.*Docker.*RABBITMQ_URL/);
    },
  );

  test('--yes answers the question, and without a terminal it is not asked; both are still announced', async () => {
    const withYes = person('no');
    await announceInstall({ ...withYes, yes: true });
    const { heard, say } = person('no');
    await announceInstall({ say });
    for (const lines of [withYes.heard, heard]) {
      expect(lines.join('\n')).toMatch(/rabbitmq-server[\s\S]*policy-rc\.d/);
      expect(lines.join('\n')).not.toContain('[Y/n]');
    }
  });
});

/** `announceInstall` as `npm run services` uses it, in a pseudo-terminal; prints `agreed` or the error. */
const script = `
  import { announceInstall, askOnTerminal } from './tools/services/apt.ts';
  const say = (name, line) => console.log(name, line);
  await announceInstall({ say, ask: askOnTerminal }).then(() => console.log('agreed'), (error) => console.log(String(error)));
`;
const node = `${process.execPath} --no-warnings --input-type=module-typescript -e "$SCRIPT"`;
const onPseudoTerminal = (type: string, rest = '') => {
  const command = ['-qec', node + rest, '/dev/null'];
  const child = spawn('script', command, { cwd: root, env: { ...process.env, SCRIPT: script, SHELL: '/bin/sh' } });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const answer = async () => {
    await eventually('the question', () => (output.includes('[Y/n]') ? true : undefined), 20_000);
    child.stdin.write(type);
    await once(child, 'close');
    return output;
  };
  return answer();
};

const withScript = process.platform === 'linux' && findBinary('script') ? test : test.skip;

describe('on a terminal', () => {
  withScript.each([
    ['Enter', '\r', 'agreed'],
    ['y', 'y\r', 'agreed'],
    ['n', 'n\r', 'you declined'],
    ['Ctrl-C', '\u0003', 'you declined'],
    ['Ctrl-D', '\u0004', 'you declined'],
  ])('%s is understood', async (_name, typed, expected) => {
    expect(await onPseudoTerminal(typed)).toContain(expected);
  });

  withScript(
    'the question is asked on stderr where stdout goes elsewhere, as in eval "$(lanekeeper services)"',
    async () => {
      expect(await onPseudoTerminal('n\r', ' | cat')).toContain('you declined');
    },
  );
});
