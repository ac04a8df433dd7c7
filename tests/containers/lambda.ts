/** The image `functions` under the Lambda Runtime Interface Emulator, one container for each function, as on AWS Lambda. */
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../../tools/run-tool.ts';
import { type ApiCall, eventFixture } from '../http/drivers.ts';
import { goProgram, whyNoGoProgram } from '../support/go-program.ts';
import type { Engine } from './engine.ts';
import type { Stack } from './stack.ts';
import { baseImage } from './stand-ins.ts';

const emulator =
  'github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d';
const image = 'localhost/lanekeeper-functions:test';
const invocations = ':8080/2015-03-31/functions/function/invocations';

/** `undefined` where it is not installed and Go cannot build it. */
export const findEmulator = async (): Promise<string | undefined> =>
  whyNoGoProgram('aws-lambda-rie', emulator) ? undefined : goProgram('aws-lambda-rie', emulator);

const buildImage = async ({ engine }: Stack): Promise<void> => {
  const local = ['--isolation', 'chroot', '--network', 'host', '--format', 'docker'];
  const options = engine.pulls ? [] : [...local, '--build-arg', `BASE_IMAGE=${baseImage}`];
  await engine.run('build', ...options, '--target', 'functions', '-t', image, root);
};

type Answer = { statusCode: number; body: string };

const runFunction = async (stack: Stack, rie: string, handler: string) => {
  const { engine, network } = stack;
  const { mongodbUrl, rabbitmqUrl } = await stack.servers();
  const settings = {
    MONGODB_URL: mongodbUrl,
    RABBITMQ_URL: rabbitmqUrl.replace(/\/\/.*@/, `//lanekeeper-functions:${stack.env.RABBITMQ_FUNCTIONS_PASSWORD}@`),
    ...{ JWT_SECRET: stack.env.JWT_SECRET, LANES: stack.env.LANES, BCRYPT_COST: '4' },
  };
  const id = (
    await engine.run(
      ...['run', '--detach', '--rm', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'all', '--network', network],
      ...['--volume', `${rie}:/rie:ro`, '--entrypoint', '/rie'],
      ...Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...[image, '--runtime-interface-emulator-address', '0.0.0.0:8080'],
      ...['node', '/lambda/node_modules/aws-lambda-ric/index.mjs', `functions/${handler}.handler`],
    )
  ).trim();
  const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
  const address = (await engine.run('inspect', '-f', format, id)).trim();
  return {
    /** The emulator takes one call at a time. */
    call: async (call: ApiCall, routeKey: string, pathParameters?: Record<string, string>) => {
      const body = JSON.stringify(eventFixture(call, routeKey, pathParameters));
      for (let tries = 0; ; tries += 1) {
        const response = await fetch(`http://${address}${invocations}`, { method: 'POST', body }).catch(
          () => undefined,
        );
        if (response) {
          const answer = (await response.json()) as Answer;
          if (!answer.statusCode) throw new Error(`${handler}: ${JSON.stringify(answer)}`);
          return { status: answer.statusCode, body: JSON.parse(answer.body) };
        }
        if (tries > 40) throw new Error(`${handler}: ${await engine.run('logs', id)}`);
        await pause(250);
      }
    },
    stop: () => engine.run('stop', '--time', '1', id),
  };
};

/** Node says so when it cannot use the compiled code. */
const loadCompiled = async (engine: Engine): Promise<void> => {
  const code = "process.on('warning', ({ message }) => console.log(message)); import('/var/task/functions/enqueue.js')";
  strictEqual(await engine.run('run', '--rm', '--read-only', '--entrypoint', 'node', image, '-e', code), '');
};

/** Registers, logs in, enqueues and gets the result, each by its own function. */
export const driveFunctions = async (stack: Stack, rie: string, say: (line: string) => void): Promise<void> => {
  say('building the image of the functions');
  await buildImage(stack);
  await loadCompiled(stack.engine);
  const names = ['register', 'login', 'enqueue', 'get-request'];
  const functions = await Promise.all(names.map((name) => runFunction(stack, rie, name)));
  const [register, login, enqueue, get] = functions;
  try {
    const credentials = { username: `lambda-${Date.now()}`, password: 'correct horse' };
    const registered = await register!.call({ call: 'POST /register', body: credentials }, 'POST /register');
    deepStrictEqual(registered.status, 201);
    const { body } = await login!.call({ call: 'POST /login', body: credentials }, 'POST /login');
    const call = { call: 'POST /enqueue', body: { request: { step: 1 } }, token: body.token };
    const accepted = await enqueue!.call(call, 'POST /enqueue');
    deepStrictEqual([accepted.status, accepted.body.seq], [202, 1]);
    const route = 'GET /requests/{seq}';
    const found = await get!.call({ call: 'GET /requests/1?wait=20', token: body.token }, route, { seq: '1' });
    deepStrictEqual([found.status, found.body.status, found.body.result], [200, 'done', { step: 1 }]);
    say('functions: registered, logged in, enqueued and got the result');
  } finally {
    await Promise.all(functions.map(({ stop }) => stop()));
  }
};
