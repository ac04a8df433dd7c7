/**
 * The template under cfn-lint, and `serverless deploy` to the end against moto. moto makes the network, roles, logs, functions and the
 * service, and passes over API Gateway, Amazon MQ, Secrets Manager, alarms and scaling: template.test.ts looks at those.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, jest, test } from '@jest/globals';
import { rotateTokenSecret } from '../../lib/accounts/rotate-token-secret.ts';
import { readRoutes } from '../../lib/gateway/routes.ts';
import { python, startAws, whyNoAwsTools } from './support/aws-tools.ts';
import { packageOf, runServerless } from './support/packaged.ts';

jest.setTimeout(600_000);

const reason = whyNoAwsTools;
if (reason) process.stdout.write(`skipped: ${reason}\n`);
const describeWithTools = reason ? describe.skip : describe;

const cfnLint = 'import sys; from cfnlint.runner import main; sys.exit(main())';

/** The framework names dependencies that its references already say. */
const lint = (file: string) => promisify(execFile)(python, ['-c', cfnLint, '--ignore-checks', 'W3005', '--', file]);

describeWithTools('on the way to AWS', () => {
  test.each([
    ['dev', {}],
    ['dev', { NAT_GATEWAY: 'one' }],
    ['prod', {}],
  ])('cfn-lint finds nothing in the template of %s with %j', async (stage, environment) => {
    await using packaged = await packageOf(stage, environment);
    await expect(lint(packaged.file)).resolves.toMatchObject({ stdout: '' });
  });

  test('serverless deploys the stack, and finds nothing to deploy afterwards', async () => {
    await using aws = await startAws();
    const handlers = new Set((await readRoutes()).map(({ file }) => file));
    const deploy = () => runServerless(['deploy', '--stage', 'dev', '--verbose'], aws.environment);
    const first = await deploy();
    expect(`${first.stdout}${first.stderr}`).toContain('Service deployed to stack lanekeeper-dev');
    expect(await aws.resourcesOf('lanekeeper-dev')).toMatchObject({
      'AWS::Lambda::Function': handlers.size + 1,
      'AWS::EC2::VPCEndpoint': 5,
      'AWS::ECS::TaskDefinition': 1,
      'AWS::ECS::Service': 1,
      'AWS::IAM::Role': 4,
      'AWS::CloudWatch::Dashboard': 1,
    });
    const again = await deploy();
    expect(`${again.stdout}${again.stderr}`).toContain('No changes to deploy');
  });

  test('the rotation function changes a secret in Secrets Manager three times', async () => {
    await using aws = await startAws();
    const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = aws.environment;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new SecretsManagerClient({ endpoint, region, credentials });
    const SecretId = 'lanekeeper/dev/jwt-secret';
    await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'x'.repeat(64) }));
    const current = async () =>
      (await client.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' }))).SecretString ?? '';
    const values = [await current()];
    for (const ClientRequestToken of [randomUUID(), randomUUID(), randomUUID()]) {
      for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'])
        await rotateTokenSecret(client, { Step, SecretId, ClientRequestToken });
      values.push(await current());
    }
    client.destroy();
    const signing = values.map((value) => value.split(' ')[0]);
    expect(values.map((value) => value.split(' ').length)).toEqual([1, 2, 3, 3]);
    // The first rotation only adds the secret that signs after the next.
    expect(signing[1]).toBe(signing[0]);
    expect(signing[2]).toBe(values[1]?.split(' ')[1]);
    expect(signing[3]).toBe(values[2]?.split(' ')[1]);
  });
});
