/** Which resource names which. cfn-lint finds a reference to nothing, but not one to the wrong resource. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { settings } from '../../lib/settings.ts';
import { ofType, packageOf, statementsOf, type Template } from './support/packaged.ts';

jest.setTimeout(120_000);

let template: Template;
beforeAll(async () => {
  await using packaged = await packageOf('prod');
  template = packaged.template;
});

const properties = (name: string) => template.Resources[name]?.Properties ?? {};
const consumer = () => properties('ConsumerTask').ContainerDefinitions[0];
const metricsPort = () =>
  Number(consumer().Environment.find(({ Name }: { Name: string }) => Name === 'METRICS_PORT').Value);
const functions = () => ofType(template, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties);

describe('the network', () => {
  test('has a subnet in each of three zones, all with the routes that lead to S3', () => {
    const subnets = ofType(template, 'AWS::EC2::Subnet');
    expect(subnets.map(([, { Properties }]) => Properties.AvailabilityZone['Fn::Select'][0])).toEqual([0, 1, 2]);
    const routes = ofType(template, 'AWS::EC2::SubnetRouteTableAssociation').map(([, { Properties }]) => Properties);
    expect(routes).toEqual(
      subnets.map(([name]) => ({ RouteTableId: { Ref: 'PrivateRoutes' }, SubnetId: { Ref: name } })),
    );
    expect(properties('StorageEndpoint').RouteTableIds).toEqual([{ Ref: 'PrivateRoutes' }]);
  });

  test('leads the usual names of services to their endpoints', () => {
    expect(properties('Vpc')).toMatchObject({ EnableDnsHostnames: true, EnableDnsSupport: true });
    const interfaces = ofType(template, 'AWS::EC2::VPCEndpoint')
      .map(([, { Properties }]) => Properties)
      .filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface');
    for (const one of interfaces)
      expect(one).toMatchObject({ PrivateDnsEnabled: true, SecurityGroupIds: [{ Ref: 'EndpointsGroup' }] });
  });

  test('lets functions and consumers reach the broker and the endpoints, and nothing else', () => {
    for (const { VpcConfig } of functions()) expect(VpcConfig.SecurityGroupIds).toEqual([{ Ref: 'FunctionsGroup' }]);
    const { AwsvpcConfiguration } = properties('Consumer').NetworkConfiguration;
    expect(AwsvpcConfiguration.SecurityGroups).toEqual([{ Ref: 'ConsumerGroup' }]);
    const from = (source: string, port: number) =>
      expect.objectContaining({
        ...{ IpProtocol: 'tcp', FromPort: port, ToPort: port },
        SourceSecurityGroupId: { 'Fn::GetAtt': [source, 'GroupId'] },
      });
    const ingress = ofType(template, 'AWS::EC2::SecurityGroup').map(([name, one]) => [
      name,
      one.Properties.SecurityGroupIngress ?? [],
    ]);
    expect(Object.fromEntries(ingress)).toEqual({
      FunctionsGroup: [],
      ConsumerGroup: [],
      BrokerGroup: [from('FunctionsGroup', 5_671), from('ConsumerGroup', 5_671)],
      EndpointsGroup: [from('FunctionsGroup', 443), from('ConsumerGroup', 443)],
    });
  });
});

describe('the roles', () => {
  test('are taken by the services that need them', () => {
    const trusted = ofType(template, 'AWS::IAM::Role').map(([name, { Properties }]) => [
      name,
      Properties.AssumeRolePolicyDocument.Statement[0].Principal.Service,
    ]);
    expect(Object.fromEntries(trusted)).toEqual({
      FunctionsRole: 'lambda.amazonaws.com',
      RotationRole: 'lambda.amazonaws.com',
      ConsumerRole: 'ecs-tasks.amazonaws.com',
      ConsumerStartRole: 'ecs-tasks.amazonaws.com',
    });
    expect(properties('ConsumerTask').ExecutionRoleArn).toEqual({ 'Fn::GetAtt': ['ConsumerStartRole', 'Arn'] });
  });

  test('allow writing the logs that there are', () => {
    const logsOf = (role: string) =>
      statementsOf(template, role).find(({ Action }) => [Action].flat().includes('logs:PutLogEvents'))?.Resource;
    for (const role of ['FunctionsRole', 'RotationRole']) {
      const prefix = logsOf(role)['Fn::Sub'].split(':log-group:')[1].replace('*', '');
      for (const { FunctionName } of functions()) expect(`/aws/lambda/${FunctionName}`.startsWith(prefix)).toBe(true);
    }
    expect(logsOf('ConsumerStartRole')).toEqual({ 'Fn::GetAtt': ['ConsumerLog', 'Arn'] });
    expect(consumer().LogConfiguration.Options['awslogs-group']).toEqual({ Ref: 'ConsumerLog' });
  });
});

describe('a consumer', () => {
  test('is replaced when its process no longer answers, not when a server is away', () => {
    const [how, ...command] = consumer().HealthCheck.Command;
    expect([how, command[0]]).toEqual(['CMD', 'node']);
    expect(command.at(-1)).toContain(`fetch('http://127.0.0.1:${metricsPort()}/livez')`);
    expect(consumer().PortMappings).toEqual([{ ContainerPort: metricsPort(), Protocol: 'tcp' }]);
  });

  test('may open many files, and starts beside the one that it replaces', () => {
    expect(consumer().Ulimits).toEqual([{ Name: 'nofile', SoftLimit: 65_535, HardLimit: 65_535 }]);
    expect(properties('Consumer').DeploymentConfiguration.MaximumPercent).toBeGreaterThan(100);
  });

  test('runs on the processor that the functions run on', () => {
    expect(properties('ConsumerTask').RuntimePlatform.CpuArchitecture).toBe('X86_64');
    for (const { Architectures = ['x86_64'] } of functions()) expect(Architectures).toEqual(['x86_64']);
  });
});

test('autoscaling sets the number of consumers, and never to none', () => {
  const { MinCapacity, MaxCapacity, ...target } = properties('ConsumerCount');
  expect(target).toMatchObject({
    ServiceNamespace: 'ecs',
    ScalableDimension: 'ecs:service:DesiredCount',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's.
    ResourceId: { 'Fn::Sub': 'service/${Cluster}/${Consumer.Name}' },
  });
  expect(MinCapacity).toBeGreaterThanOrEqual(1);
  expect(MaxCapacity).toBeGreaterThan(MinCapacity);
  expect(properties('FollowBacklog').ScalingTargetId).toEqual({ Ref: 'ConsumerCount' });
  expect(properties('WorkersWanted').AlarmActions).toEqual([{ Ref: 'FollowBacklog' }]);
});

describe('the broker', () => {
  test('runs with the limits that it is given', () => {
    const limits = { 'Fn::GetAtt': ['BrokerLimits', 'Revision'] };
    expect(properties('Broker').Configuration).toEqual({ Id: { Ref: 'BrokerLimits' }, Revision: limits });
    expect(properties('Broker').EngineVersion).toBe(properties('BrokerLimits').EngineVersion);
    const names = properties('BrokerLimits').Data['Fn::Base64'].match(/^\S+/gm);
    expect(names).toEqual([
      'connection_max',
      'channel_max_per_node',
      'cluster_queue_limit',
      'consumer_max_per_channel',
    ]);
  });

  test('is reached by URLs with its user and password, at the first address that it gives', () => {
    const [{ Username, Password }] = properties('Broker').Users;
    const endpoints = { 'Fn::GetAtt': ['Broker', 'AmqpEndpoints'] };
    const address = { 'Fn::Select': [1, { 'Fn::Split': ['://', { 'Fn::Select': [0, endpoints] }] }] };
    const url = `amqps://${Username}:${Password['Fn::Sub']}@\${address}`;
    for (const secret of ['RabbitmqFunctionsUrl', 'RabbitmqConsumerUrl'])
      expect(properties(secret).SecretString).toEqual({ 'Fn::Sub': [url, { address }] });
  });
});

test('secrets that AWS makes are long enough for the code, and fit into a URL', () => {
  const { PasswordLength } = properties('JwtSecret').GenerateSecretString;
  expect(settings.jwtSecret.schema.safeParse('x'.repeat(PasswordLength)).success).toBe(true);
  for (const secret of ['JwtSecret', 'BrokerPassword'])
    expect(properties(secret).GenerateSecretString.ExcludePunctuation).toBe(true);
});

test('the secret of tokens is changed by its function only once that may be called', () => {
  expect(template.Resources.RotationOfJwtSecret?.DependsOn).toEqual(['SecretsManagerMayRotate']);
  expect(properties('SecretsManagerMayRotate')).toMatchObject({
    FunctionName: { 'Fn::GetAtt': ['RotateTokenSecretLambdaFunction', 'Arn'] },
    Action: 'lambda:InvokeFunction',
  });
});

test('the API keeps metrics of each route, limits both calls that hash a password alike, and logs calls', () => {
  const { DefaultRouteSettings, RouteSettings, AccessLogSettings } = properties('HttpApiStage');
  expect(DefaultRouteSettings.DetailedMetricsEnabled).toBe(true);
  expect(RouteSettings['POST /login'].DetailedMetricsEnabled).toBe(true);
  expect(RouteSettings['POST /register']).toEqual(RouteSettings['POST /login']);
  expect(AccessLogSettings.DestinationArn).toEqual({ 'Fn::GetAtt': ['HttpApiLogGroup', 'Arn'] });
});
