/** The rendered chart against the code: what it sets, asks and names exists, and what must agree agrees. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../lib/config.ts';
import { backlogOf } from '../../lib/consumer/backlog.ts';
import { type Endpoints, openEndpoints } from '../../lib/endpoints.ts';
import { readRoutes } from '../../lib/gateway/routes.ts';
import type { WorkerSnapshot } from '../../lib/lanes/snapshot.ts';
import { createLogger } from '../../lib/log.ts';
import { settings } from '../../lib/settings.ts';
import { filesUnder, read } from '../docs/support/markdown.ts';
import { type KubernetesObject, readObjects, renderedObjects } from './support.ts';

const objects = renderedObjects();
const of = (kind: string): KubernetesObject[] => objects.filter((object) => object.kind === kind);
const named = (kind: string, role: string): KubernetesObject => {
  const found = of(kind).find(({ metadata }) => metadata.name === `lanekeeper-${role}`);
  if (!found) throw new Error(`no ${kind} lanekeeper-${role}`);
  return found;
};
const podOf = (role: string): KubernetesObject => named(role === 'migrate' ? 'Job' : 'Deployment', role).spec.template;
const containerOf = (role: string): KubernetesObject => podOf(role).spec.containers[0];
const environmentOf = (role: string): Record<string, string> =>
  Object.fromEntries(containerOf(role).env.map(({ name, value }: KubernetesObject) => [name, value]));

/** How many secrets each of them needs. */
const secretsOf: Record<string, number> = { gateway: 3, consumer: 2, migrate: 1 };
const roles = Object.keys(secretsOf);
const deployed = [
  { role: 'gateway', reader: 'functions', port: 'PORT', metrics: 'API_METRICS_PORT' },
  { role: 'consumer', reader: 'consumer', port: 'METRICS_PORT', metrics: 'METRICS_PORT' },
] as const;

/** The paths that a consumer answers with 200 when it is well. */
let endpoints: Endpoints;
beforeAll(async () => {
  const numbers = { pendingRequests: 5, oldestWaitMs: 0, workersWanted: 2, statisticsAgeMs: 0 } as WorkerSnapshot;
  endpoints = await openEndpoints({
    host: '127.0.0.1',
    port: 0,
    portSetting: 'METRICS_PORT',
    log: createLogger('silent'),
    probes: {
      health: () => ({ healthy: true, body: {} }),
      state: () => 'running',
      backlog: () => backlogOf([{ state: 'running', snapshot: numbers }]),
    },
    metrics: async () => '',
    metricsType: 'text/plain',
  });
});
afterAll(() => endpoints.close());
const ask = (path: string) => fetch(`http://127.0.0.1:${endpoints.port}${path}`);

describe.each(deployed)('the $role', ({ role, reader, port, metrics }) => {
  test('gets only settings that it reads, each with a value that it takes', () => {
    const environment = environmentOf(role);
    const readBy = Object.values(settings).filter((one) => one.readBy === reader || one.readBy === 'both');
    expect(Object.keys(environment).filter((name) => !readBy.some((one) => one.name === name))).toEqual([]);
    const { MONGODB_URL_FILE: _m, RABBITMQ_URL_FILE: _r, ...others } = environment;
    expect(() => loadConfig({ ...others, JWT_SECRET: 'x'.repeat(32), JWT_SECRET_FILE: '' }, reader)).not.toThrow();
  });

  test('listens on all addresses, on the ports that the container names', () => {
    const environment = environmentOf(role);
    const ports = containerOf(role).ports.map(({ containerPort }: KubernetesObject) => String(containerPort));
    expect(new Set(ports)).toEqual(new Set([environment[port], environment[metrics]]));
    expect(environment.METRICS_HOST).toBe('0.0.0.0');
    expect(podOf(role).metadata.annotations['prometheus.io/port']).toBe(environment[metrics]);
  });

  test('has time to stop: GRACE_MS, the pause before it, and at least 10 s', () => {
    const { terminationGracePeriodSeconds } = podOf(role).spec;
    const preStop = Number(containerOf(role).lifecycle?.preStop.exec.command[1] ?? 0);
    const needed = Number(environmentOf(role).GRACE_MS) / 1_000 + preStop + 10;
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(needed);
  });

  test('has a budget of disruptions, a Service and a policy that select its pods, and ports that exist', () => {
    const { labels } = podOf(role).metadata;
    const container = containerOf(role);
    const selectors = [
      named('Deployment', role).spec.selector.matchLabels,
      named('PodDisruptionBudget', role).spec.selector.matchLabels,
      named('Service', role).spec.selector,
      named('NetworkPolicy', role).spec.podSelector.matchLabels,
    ];
    for (const selector of selectors) {
      expect(labels).toMatchObject(selector);
      expect(selector['app.kubernetes.io/component']).toBe(role);
    }
    const names = container.ports.map(({ name }: KubernetesObject) => name);
    const allowed = named('NetworkPolicy', role).spec.ingress.flatMap(({ ports }: KubernetesObject) => ports);
    const used = [...named('Service', role).spec.ports.map((one: KubernetesObject) => one.targetPort)];
    for (const one of [...used, ...allowed.map((rule: KubernetesObject) => rule.port)]) expect(names).toContain(one);
  });

  test('is not removed and replaced at once by an upgrade', () => {
    expect(named('Deployment', role).spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
  });
});

test('the probes of the consumer ask paths that it answers; only /healthz decides about readiness, and never about its life', async () => {
  const { startupProbe, livenessProbe, readinessProbe } = containerOf('consumer');
  for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
    expect(httpGet.port).toBe('metrics');
    expect((await ask(httpGet.path)).status).toBe(200);
  }
  expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
    '/livez',
    '/livez',
    '/healthz',
  ]);
});

test('the probes of the gateway ask a route of its own, and not /health: without RabbitMQ that is 503 and the API accepts', async () => {
  const { startupProbe, livenessProbe, readinessProbe } = containerOf('gateway');
  const routes = await readRoutes();
  for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
    expect(httpGet).toEqual({ path: '/livez', port: 'http' });
    expect(routes).toContainEqual(expect.objectContaining({ method: 'GET', path: httpGet.path }));
  }
});

test('KEDA asks the Service of the consumers for a number that /backlog answers, and divides it by the workers of a pod', async () => {
  const { scaleTargetRef, minReplicaCount, maxReplicaCount, triggers } = named('ScaledObject', 'consumer').spec;
  const [{ type, metricType, metadata }] = triggers;
  const url = new URL(metadata.url);
  const service = named('Service', 'consumer');
  expect({ type, metricType }).toEqual({ type: 'metrics-api', metricType: 'AverageValue' });
  expect(url.host).toBe(`${service.metadata.name}.lanekeeper.svc:${service.spec.ports[0].port}`);
  expect(await (await ask(url.pathname)).json()).toHaveProperty(metadata.valueLocation, 2);
  const { WORKERS, LANES } = environmentOf('consumer');
  expect(metadata.targetValue).toBe(WORKERS);
  expect(scaleTargetRef.name).toBe(named('Deployment', 'consumer').metadata.name);
  expect(minReplicaCount).toBeGreaterThanOrEqual(1);
  expect(maxReplicaCount * Number(WORKERS)).toBeLessThanOrEqual(Number(LANES));
  // The autoscaler decides: a number of replicas would undo its decision at each upgrade.
  expect(named('Deployment', 'consumer').spec.replicas).toBeUndefined();
});

test('lanekeeper migrate runs before every install and upgrade, and its command exists', () => {
  const { metadata } = named('Job', 'migrate');
  expect(metadata.annotations['helm.sh/hook']).toBe('pre-install,pre-upgrade');
  const [program, command] = containerOf('migrate').command;
  expect(program).toBe('lanekeeper');
  expect(filesUnder('tools/commands', '.ts')).toContain(`tools/commands/${command}.ts`);
  for (const role of ['gateway', 'consumer']) expect(environmentOf(role).AUTO_MIGRATE).toBe('0');
  expect(containerOf('migrate').image).toBe(containerOf('consumer').image);
  expect(Object.keys(environmentOf('migrate'))).toEqual(['MONGODB_URL_FILE']);
});

describe.each(roles)('a pod of %s', (role) => {
  test('runs as user 1000, writes nothing but /tmp, can gain no rights, and has no token of the cluster', () => {
    const { securityContext, automountServiceAccountToken, volumes } = podOf(role).spec;
    expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1_000, runAsGroup: 1_000 });
    expect(securityContext.seccompProfile).toEqual({ type: 'RuntimeDefault' });
    expect(automountServiceAccountToken).toBe(false);
    expect(containerOf(role).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const writable = containerOf(role).volumeMounts.filter((mount: KubernetesObject) => !mount.readOnly);
    expect(writable).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
    expect(volumes.find(({ name }: KubernetesObject) => name === 'tmp').emptyDir).toBeDefined();
    expect(containerOf(role).resources).toMatchObject({ requests: {}, limits: { memory: expect.any(String) } });
  });

  test('gets every secret as a file that is mounted, and none as a value', () => {
    const environment = environmentOf(role);
    const mount = containerOf(role).volumeMounts.find(({ name }: KubernetesObject) => name === 'secrets');
    const { projected } = podOf(role).spec.volumes.find(({ name }: KubernetesObject) => name === 'secrets');
    const files = projected.sources.flatMap(({ secret }: KubernetesObject) =>
      secret.items.map(({ path }: KubernetesObject) => `${mount.mountPath}/${path}`),
    );
    const asked = Object.keys(environment).filter((name) => name.endsWith('_FILE'));
    expect(new Set(asked.map((name) => environment[name]))).toEqual(new Set(files));
    expect(Object.keys(environment).filter((name) => /(_URL|_SECRET)$/.test(name))).toEqual([]);
    expect(asked).toHaveLength(secretsOf[role] ?? 0);
  });

  test('may connect to DNS and to the servers, and to nothing else', () => {
    const { policyTypes, egress } = named('NetworkPolicy', role).spec;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const ports = egress.flatMap((rule: KubernetesObject) => rule.ports.map((one: KubernetesObject) => one.port));
    expect(new Set(ports)).toEqual(new Set([53, 27_017, 5_672, 5_671]));
  });
});

test('only Prometheus and KEDA reach the metrics ports, and nobody reaches the migration', () => {
  for (const role of ['gateway', 'consumer']) {
    const { ingress } = named('NetworkPolicy', role).spec;
    const rule = ingress.find(({ ports }: KubernetesObject) => ports[0].port === 'metrics');
    expect(rule.from.length).toBeGreaterThan(0);
  }
  expect(named('NetworkPolicy', 'migrate').spec.ingress).toBeUndefined();
});

test('the images are those of the Dockerfile, with the version of this package', () => {
  const { version } = JSON.parse(read('package.json'));
  expect(containerOf('gateway').image).toBe(`lanekeeper/gateway:${version}`);
  expect(containerOf('consumer').image).toBe(`lanekeeper/consumer:${version}`);
});

test('the example of RabbitMQ gives each role the permissions of docs/deploy.md, and no other', () => {
  const example = readObjects('deploy/kubernetes/examples/rabbitmq.yaml');
  const permissions = example.filter(({ kind }) => kind === 'Permission');
  expect(permissions.map(({ spec }) => [spec.userReference.name, spec.permissions])).toEqual([
    [
      'lanekeeper-gateway',
      {
        configure: '^hints\\.',
        write: '^(amq\\.(default|direct)$|hints\\.)',
        read: '^(amq\\.direct$|hints\\.)',
      },
    ],
    [
      'lanekeeper-consumer',
      { configure: '^(lane|user)\\.', write: '^amq\\.(default|direct)$', read: '^(lane|user)\\.' },
    ],
  ]);
  const users = example.filter(({ kind }) => kind === 'User').map(({ metadata }) => metadata.name);
  expect(users).toEqual(permissions.map(({ spec }) => spec.userReference.name));
  const cluster = example.find(({ kind }) => kind === 'RabbitmqCluster');
  const { services } = parse(read('docker-compose.yml'));
  expect(cluster.spec.image).toBe(`${services.rabbitmq.image}-management`);
  expect(cluster.spec.rabbitmq.additionalConfig).toContain('queue_leader_locator = balanced');
});

test('the example of MongoDB writes the URL into the secret that the chart reads, for a user with one database', () => {
  const [{ spec }] = readObjects('deploy/kubernetes/examples/mongodb.yaml');
  const values = parse(read('deploy/kubernetes/chart/values.yaml'));
  const [user] = spec.users;
  expect(user.connectionStringSecretName).toBe(values.secrets.mongodb.name);
  expect(user.roles).toEqual([{ name: 'readWrite', db: 'lanekeeper' }]);
  expect(spec.members).toBeGreaterThanOrEqual(3);
});
