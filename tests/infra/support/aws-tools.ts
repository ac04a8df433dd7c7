/** cfn-lint and moto, which stands in for AWS: Python packages in a folder of the user's cache, fetched once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import getPort from 'get-port';
import { pythonPackages } from '../../support/python-packages.ts';
import { eventually } from '../../support/world.ts';

/** About 320 MB, which take a minute. */
const tools = await pythonPackages('moto-5.2.5-cfn-lint-1.58.0', 'cfn-lint and moto', [
  'moto[server]==5.2.5',
  'cfn-lint==1.58.0',
]);

/** Why they cannot be had here; `undefined` when they are there. */
export const whyNoAwsTools = 'reason' in tools ? tools.reason : undefined;
export const python = 'bin' in tools ? join(tools.bin, 'python') : '';

/** moto takes a warning about a template for an error, and the framework's own part of it has some. */
const program = `
import sys
import moto.cloudformation.models as models
lint = models.validate_template_cfn_lint
models.validate_template_cfn_lint = lambda template: [one for one in lint(template) if one.rule.severity == "error"]
from moto.server import main
main(sys.argv[1:])
`;

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
};

/** Starts a stand-in for AWS that has nothing. `environment` leads the SDK and serverless there. */
export const startAws = async () => {
  const port = await getPort({ host: '127.0.0.1' });
  const child = spawn(python, ['-c', program, '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    );
  await eventually('moto is up', isUp, 60_000);
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  /** How many resources of each type the stack has. */
  const resourcesOf = async (stack: string): Promise<Record<string, number>> => {
    const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/cloudformation/aws4_request';
    const body = new URLSearchParams({ Action: 'ListStackResources', StackName: stack });
    const answer = await (await fetch(endpoint, { method: 'POST', headers: { authorization }, body })).text();
    const types = [...answer.matchAll(/<ResourceType>([^<]+)/g)].map(([, type = '']) => type);
    return Object.fromEntries(
      Object.entries(Object.groupBy(types, (type) => type)).map(([k, v]) => [k, v?.length ?? 0]),
    );
  };
  return { environment, resourcesOf, [Symbol.asyncDispose]: () => end(child) };
};
