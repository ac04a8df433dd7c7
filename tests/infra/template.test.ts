/** The template that would be deployed on AWS, against what the code needs. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readRoutes } from '../../lib/gateway/routes.ts';
import { exitMarginMs } from '../../lib/limits.ts';
import { settings } from '../../lib/settings.ts';
import {
  brokerLimitsOf,
  consumerOf,
  consumerVariablesOf,
  deployment,
  ofType,
  packageOf,
  runServerless,
  statementsOf,
  type Template,
} from './support/packaged.ts';

/** A process starts slowly on a busy machine. */
jest.setTimeout(120_000);

const mostLanes = 1_024;

/** The longest that API Gateway waits for a function, in seconds. */
const gatewayTimeout = 30;

const readBy = (role: 'functions' | 'consumer', ending: string): string[] =>
  Object.values(settings)
    .filter((setting) => setting.readBy === role || setting.readBy === 'both')
    .map(({ name }) => name)
    .filter((name) => name.endsWith(ending));

/** How a policy names the secret that a variable names. */
const secretOf = (value: unknown): unknown =>
  typeof value === 'string'
    ? {
        'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${value}-??????`,
      }
    : value;

const secretsIn = (statements: Record<string, unknown>[]): unknown[] =>
  statements.filter(({ Action }) => Action === 'secretsmanager:GetSecretValue').flatMap(({ Resource }) => Resource);

const inAnyOrder = (values: unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();

describe('serverless package', () => {
  test('asks for both images by name', async () => {
    const packaging = runServerless(['package', '--package', '/nonexistent'], { CONSUMER_IMAGE_URI: '' });
    const failed = await packaging.catch((error) => error);
    expect(`${failed.stdout}${failed.stderr}`).toContain(
      'Set IMAGE_URI and CONSUMER_IMAGE_URI to the images to deploy',
    );
  });
});

test('has a function with a URL that streams events only where EVENT_STREAMS asks for it', async () => {
  await using packaged = await packageOf('dev', { EVENT_STREAMS: 'url' });
  expect(ofType(packaged.template, 'AWS::Lambda::Url').map(([, { Properties }]) => Properties)).toEqual([
    expect.objectContaining({ AuthType: 'NONE', InvokeMode: 'RESPONSE_STREAM' }),
  ]);
  const { Properties } = packaged.template.Resources.EventStreamsLambdaFunction ?? {};
  expect(Properties).toMatchObject({
    ImageConfig: { Command: ['functions/event-streams.handler'] },
    ReservedConcurrentExecutions: 100,
  });
  // A stream ends by itself, and its client knows up to where it got.
  expect(Properties?.Timeout).toBeGreaterThan(settings.maxStreamSeconds.schema.parse(undefined) + 10);
});

describe.each(['dev', 'prod'])('the template of the stage %s', (stage) => {
  let template: Template;
  const properties = (name: string) => template.Resources[name]?.Properties ?? {};
  const functions = () => ofType(template, 'AWS::Lambda::Function');
  /** Those that API Gateway calls. */
  const httpFunctions = () => functions().filter(([name]) => name !== 'RotateTokenSecretLambdaFunction');
  const consumer = () => consumerOf(template);
  const consumerVariables = () => consumerVariablesOf(template);

  beforeAll(async () => {
    await using packaged = await packageOf(stage);
    template = packaged.template;
  });

  test('has no call that kills workers', () => {
    expect(JSON.stringify(template)).not.toMatch(/try-it|kill-worker|TRY_IT/);
    expect(JSON.stringify(template)).toContain('/overview');
  });

  test('has every function as one image, with its handler as the command', async () => {
    const handlers = new Set((await readRoutes()).map(({ file, name }) => `${file}.${name}`));
    const others = ['functions/websocket.handler', 'functions/rotate-token-secret.handler'];
    expect(inAnyOrder(functions().map(([, one]) => one.Properties.ImageConfig.Command))).toEqual(
      inAnyOrder([...handlers, ...others].map((one) => [one])),
    );
    for (const [, { Properties }] of functions()) {
      expect(Properties).toMatchObject({ PackageType: 'Image', Code: { ImageUri: deployment.IMAGE_URI } });
    }
    expect(consumer().Image).toBe(deployment.CONSUMER_IMAGE_URI);
  });

  test('has no function with a URL', () => {
    expect(ofType(template, 'AWS::Lambda::Url')).toEqual([]);
  });

  const routesOfApi = (api: string) =>
    ofType(template, 'AWS::ApiGatewayV2::Route')
      .map(([, { Properties }]) => Properties)
      .filter(({ ApiId }) => ApiId.Ref === api);

  test('has the routes of infra/functions.yml, and no other', async () => {
    const keys = routesOfApi('HttpApi').map(({ RouteKey }) => RouteKey);
    expect(keys).toEqual((await readRoutes()).map(({ method, path }) => `${method} ${path}`));
  });

  test('has a WebSocket API whose messages are answered on the connection, with limits', () => {
    expect(routesOfApi('WebsocketsApi').map(({ RouteKey }) => RouteKey)).toEqual([
      '$connect',
      '$default',
      '$disconnect',
    ]);
    const [message] = routesOfApi('WebsocketsApi').filter(({ RouteKey }) => RouteKey === '$default');
    expect(message?.RouteResponseSelectionExpression).toBe('$default');
    expect(ofType(template, 'AWS::ApiGatewayV2::RouteResponse')).toHaveLength(1);
    expect(properties('WebsocketsDeploymentStage').DefaultRouteSettings.ThrottlingRateLimit).toBeGreaterThan(0);
  });

  test('gives a function time for the longest wait, but less than API Gateway does', () => {
    for (const [, { Properties }] of httpFunctions()) expect(Properties.Timeout).toBeLessThan(gatewayTimeout);
    for (const name of ['GetRequest', 'Disconnect', 'EndRequest', 'RetryDeadLetters', 'DropDeadLetters'])
      expect(properties(`${name}LambdaFunction`).Timeout).toBeGreaterThan(20);
  });

  test('limits calls, above all those that hash a password, and leaves CORS to the functions', () => {
    const { DefaultRouteSettings, RouteSettings } = properties('HttpApiStage');
    const { login } = { login: RouteSettings['POST /login'] };
    expect(Object.keys(RouteSettings)).toEqual(['POST /login', 'POST /register']);
    expect(login.ThrottlingRateLimit).toBeLessThan(DefaultRouteSettings.ThrottlingRateLimit);
    expect(login.ThrottlingBurstLimit).toBeLessThan(DefaultRouteSettings.ThrottlingBurstLimit);
    expect(template.Resources.HttpApiStage?.DependsOn).toEqual(
      expect.arrayContaining(['HttpApiRoutePostLogin', 'HttpApiRoutePostRegister']),
    );
    expect(properties('HttpApi').CorsConfiguration).toBeUndefined();
  });

  test('gives no secret to an environment, and each role the secrets that its variables name', () => {
    for (const [, { Properties }] of httpFunctions()) {
      const { Variables } = Properties.Environment;
      expect([Variables.MONGODB_URL, Variables.RABBITMQ_URL]).toEqual(['', '']);
      const named = readBy('functions', '_ID').map((name) => secretOf(Variables[name]));
      expect(Properties.Role).toEqual({ 'Fn::GetAtt': ['FunctionsRole', 'Arn'] });
      expect(inAnyOrder(secretsIn(statementsOf(template, 'FunctionsRole')))).toEqual(inAnyOrder(named));
    }
    const named = readBy('consumer', '_ID').map((name) => secretOf(consumerVariables()[name]));
    expect(properties('ConsumerTask').TaskRoleArn).toEqual({ 'Fn::GetAtt': ['ConsumerRole', 'Arn'] });
    expect(inAnyOrder(secretsIn(statementsOf(template, 'ConsumerRole')))).toEqual(inAnyOrder(named));
    expect(JSON.stringify(properties('RabbitmqFunctionsUrl').SecretString)).toContain('"amqps://');
  });

  test('has only these permissions, and no more on everything than AWS demands', () => {
    const roles = ofType(template, 'AWS::IAM::Role').map(([role]) => role);
    const actions = roles.map((role) => [role, statementsOf(template, role).flatMap(({ Action }) => Action)]);
    expect(Object.fromEntries(actions)).toEqual({
      FunctionsRole: [
        ...['logs:CreateLogStream', 'logs:PutLogEvents'],
        ...['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
        ...['ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'],
        'secretsmanager:GetSecretValue',
      ],
      RotationRole: [
        ...['logs:CreateLogStream', 'logs:PutLogEvents'],
        ...['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
        ...['ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'],
        ...['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        ...['secretsmanager:DescribeSecret', 'secretsmanager:UpdateSecretVersionStage'],
      ],
      ConsumerRole: [
        ...['secretsmanager:GetSecretValue', 'execute-api:ManageConnections'],
        ...['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
      ],
      ConsumerStartRole: [
        'ecr:GetAuthorizationToken',
        ...['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        ...['logs:CreateLogStream', 'logs:PutLogEvents'],
      ],
    });
    const onEverything = roles
      .flatMap((role) => statementsOf(template, role))
      .filter(({ Resource }) => [Resource].flat().includes('*'))
      .flatMap(({ Action }) => Action as string[]);
    expect(onEverything.filter((action) => !action.startsWith('ec2:'))).toEqual(['ecr:GetAuthorizationToken']);
  });

  test('lets Secrets Manager change the secret of tokens, and no other', () => {
    const { SecretId, RotationLambdaARN, RotationRules } = properties('RotationOfJwtSecret');
    const rotation = { 'Fn::GetAtt': ['RotateTokenSecretLambdaFunction', 'Arn'] };
    expect({ SecretId, RotationLambdaARN }).toEqual({ SecretId: { Ref: 'JwtSecret' }, RotationLambdaARN: rotation });
    expect(properties('SecretsManagerMayRotate')).toMatchObject({ Principal: 'secretsmanager.amazonaws.com' });
    expect(properties('RotateTokenSecretLambdaFunction').Role).toEqual({ 'Fn::GetAtt': ['RotationRole', 'Arn'] });
    expect(statementsOf(template, 'RotationRole').at(-1)?.Resource).toEqual({ Ref: 'JwtSecret' });
    // A token lives as long as `TOKEN_TTL_SECONDS` says, and the secret before verifies until the next change.
    const days = Number(/^rate\((\d+) days\)$/.exec(RotationRules.ScheduleExpression)?.[1]);
    expect(days).toBeGreaterThan(0);
    expect(settings.tokenTtlSeconds.schema.safeParse(String(days * 86_400)).success).toBe(false);
  });

  test('lets a consumer that stops use its whole GRACE_MS', () => {
    const graceMs = Number(consumerVariables().GRACE_MS);
    expect(consumer().StopTimeout).toBe(120);
    expect(graceMs + exitMarginMs + 10_000).toBeLessThan(consumer().StopTimeout * 1_000);
  });

  test('runs consumers without rights, and goes back to the previous ones when new ones fail', () => {
    expect(consumer()).toMatchObject({ User: '1000:1000', ReadonlyRootFilesystem: true, StopTimeout: 120 });
    expect(consumer().LinuxParameters.Capabilities.Drop).toEqual(['ALL']);
    const { DeploymentConfiguration, DesiredCount, NetworkConfiguration } = properties('Consumer');
    expect(DeploymentConfiguration.DeploymentCircuitBreaker).toEqual({ Enable: true, Rollback: true });
    expect(DeploymentConfiguration.MinimumHealthyPercent).toBe(100);
    // A deployment would undo what autoscaling chose.
    expect(DesiredCount).toBeUndefined();
    expect(NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp).toBe('DISABLED');
    expect(consumerVariables()).toMatchObject({ METRICS_HOST: '0.0.0.0', METRICS_PORT: '9464' });
  });

  test('has a step of consumers for every number of wanted workers', () => {
    const { StepAdjustments, AdjustmentType } = properties('FollowBacklog').StepScalingPolicyConfiguration;
    const consumersFor = (wanted: number) =>
      StepAdjustments.filter(
        ({ MetricIntervalLowerBound: from, MetricIntervalUpperBound: to = Infinity }: Record<string, number>) =>
          wanted >= Number(from) && wanted < to,
      ).map(({ ScalingAdjustment }: { ScalingAdjustment: number }) => ScalingAdjustment);
    expect(AdjustmentType).toBe('ExactCapacity');
    for (let wanted = 0; wanted <= mostLanes; wanted += 1) {
      const [consumers, ...others] = consumersFor(wanted);
      expect(others).toEqual([]);
      expect(consumers).toBeGreaterThanOrEqual(Math.min(wanted, 64));
      expect(consumers).toBeLessThanOrEqual(Math.max(1, 2 * wanted));
    }
    // The bounds above are relative to it.
    expect(properties('WorkersWanted')).toMatchObject({ Threshold: 0, MetricName: 'WorkersWanted' });
    expect(consumerVariables().WORKERS).toBe('1');
  });

  test('keeps the broker private, and its queues within the cap that it is given', () => {
    const { PubliclyAccessible, SecurityGroups, DeploymentMode, SubnetIds } = properties('Broker');
    expect({ PubliclyAccessible, SecurityGroups }).toEqual({
      PubliclyAccessible: false,
      SecurityGroups: [{ Ref: 'BrokerGroup' }],
    });
    const ingress = properties('BrokerGroup').SecurityGroupIngress as Record<string, unknown>[];
    expect(ingress.map(({ FromPort, ToPort }) => [FromPort, ToPort])).toEqual([
      [5671, 5671],
      [5671, 5671],
    ]);
    const limits = brokerLimitsOf(template);
    const maxOpenQueues = Number(consumerVariables().MAX_OPEN_QUEUES);
    expect(maxOpenQueues).toBeGreaterThan(0);
    expect(maxOpenQueues + mostLanes).toBeLessThan(limits.cluster_queue_limit ?? 0);
    // 250 users share a channel (lib/broker).
    expect(limits.consumer_max_per_channel).toBeGreaterThanOrEqual(250);
    const isCluster = DeploymentMode === 'CLUSTER_MULTI_AZ';
    expect(isCluster).toBe(stage === 'prod');
    // docs/aws.md: what Amazon MQ allows for these sizes.
    expect(limits.cluster_queue_limit).toBeLessThanOrEqual(isCluster ? 5_000 : 2_500);
    expect(SubnetIds).toHaveLength(isCluster ? 3 : 1);
    expect(consumerVariables().LANE_QUEUE_TYPE).toBe(isCluster ? 'quorum' : 'classic');
  });

  test('leaves functions and consumers no way out but to the endpoints that they need', () => {
    const services = ofType(template, 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
      Properties.ServiceName['Fn::Sub'].split('AWS::Region}.').at(-1),
    );
    expect(services.sort()).toEqual(['ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager']);
    for (const type of ['AWS::EC2::InternetGateway', 'AWS::EC2::NatGateway', 'AWS::EC2::Route'])
      expect(ofType(template, type)).toEqual([]);
    for (const [, { Properties }] of functions()) expect(Properties.VpcConfig.SubnetIds).toHaveLength(3);
  });

  test('keeps every log for a limited time, and creates the log of each function', () => {
    const logs = ofType(template, 'AWS::Logs::LogGroup');
    for (const [, { Properties }] of logs) expect(Properties.RetentionInDays).toBe(stage === 'prod' ? 90 : 14);
    const names = logs.map(([, { Properties }]) => Properties.LogGroupName);
    for (const [, { Properties }] of functions()) expect(names).toContain(`/aws/lambda/${Properties.FunctionName}`);
  });
});

test('NAT_GATEWAY=one gives the private subnets a way out, through a subnet with a way to the internet', async () => {
  await using packaged = await packageOf('dev', { NAT_GATEWAY: 'one' });
  const { Resources } = packaged.template;
  // Only then are connections reached.
  const endpoint = { 'Fn::Sub': expect.stringContaining('WebsocketsApi') };
  expect(consumerVariablesOf(packaged.template).WEBSOCKET_ENDPOINT).toEqual(endpoint);
  expect(Resources.WebsocketLambdaFunction?.Properties.Environment.Variables.WEBSOCKET_ENDPOINT).toEqual(endpoint);
  const everywhere = '0.0.0.0/0';
  expect(Resources.PrivateWayOut?.Properties).toEqual({
    ...{ RouteTableId: { Ref: 'PrivateRoutes' }, DestinationCidrBlock: everywhere },
    NatGatewayId: { Ref: 'Nat' },
  });
  expect(Resources.Nat?.Properties.SubnetId).toEqual({ Ref: 'PublicSubnet' });
  const routes = { RouteTableId: { Ref: 'PublicRoutes' } };
  expect(Resources.RoutesOfPublicSubnet?.Properties).toEqual({ ...routes, SubnetId: { Ref: 'PublicSubnet' } });
  expect(Resources.PublicWayOut?.Properties).toEqual({
    ...{ ...routes, DestinationCidrBlock: everywhere },
    GatewayId: { Ref: 'Gateway' },
  });
});
