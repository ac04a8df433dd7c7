/** What the rendered objects name of each other and of the cluster. The schemas of Kubernetes say nothing about it. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { read } from '../docs/support/markdown.ts';
import { type KubernetesObject, renderedObjects } from './support.ts';

const objects = renderedObjects();
const named = (kind: string, role: string): KubernetesObject =>
  objects.find((one) => one.kind === kind && one.metadata.name === `lanekeeper-${role}`);
const podOf = (role: string): KubernetesObject => named(role === 'migrate' ? 'Job' : 'Deployment', role).spec.template;
const { mongodb, rabbitmq, tokens } = parse(read('deploy/kubernetes/chart/values.yaml')).secrets;

/** The secret and its key that each setting comes from. */
const secretsOf: [role: string, secrets: Record<string, [name: string, key: string]>][] = [
  [
    'gateway',
    {
      MONGODB_URL_FILE: [mongodb.name, mongodb.key],
      RABBITMQ_URL_FILE: [rabbitmq.name, rabbitmq.gatewayKey],
      JWT_SECRET_FILE: [tokens.name, tokens.key],
    },
  ],
  [
    'consumer',
    {
      MONGODB_URL_FILE: [mongodb.name, mongodb.key],
      RABBITMQ_URL_FILE: [rabbitmq.name, rabbitmq.consumerKey],
    },
  ],
  ['migrate', { MONGODB_URL_FILE: [mongodb.name, mongodb.key] }],
];

describe.each(secretsOf)('a pod of %s', (role, secrets) => {
  const { spec, metadata } = podOf(role);
  const [container] = spec.containers;

  test('reads each setting from the key of the secret that is meant for it', () => {
    const { mountPath } = container.volumeMounts.find(({ name }: KubernetesObject) => name === 'secrets');
    const { projected } = spec.volumes.find(({ name }: KubernetesObject) => name === 'secrets');
    const files: Record<string, [name: string, key: string]> = Object.fromEntries(
      projected.sources.flatMap(({ secret }: KubernetesObject) =>
        secret.items.map(({ key, path }: KubernetesObject) => [`${mountPath}/${path}`, [secret.name, key]]),
      ),
    );
    const found = container.env
      .filter(({ name }: KubernetesObject) => name.endsWith('_FILE'))
      .map(({ name, value }: KubernetesObject) => [name, files[value]]);
    expect(Object.fromEntries(found)).toEqual(secrets);
  });

  test('may read its secrets, which belong to root and to the group of the pod', () => {
    const { projected } = spec.volumes.find(({ name }: KubernetesObject) => name === 'secrets');
    // Octal for Kubernetes.
    expect(projected.defaultMode).toBe(440);
    expect(spec.securityContext.fsGroup).toBe(spec.securityContext.runAsGroup);
  });

  test('is under the policy of its role', () => {
    expect(metadata.labels).toMatchObject(named('NetworkPolicy', role).spec.podSelector.matchLabels);
    expect(metadata.labels['app.kubernetes.io/component']).toBe(role);
  });
});

describe.each(['gateway', 'consumer'])('the pods of %s', (role) => {
  test('spread over nodes and zones', () => {
    const { topologySpreadConstraints } = podOf(role).spec;
    expect(topologySpreadConstraints.map(({ topologyKey }: KubernetesObject) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    for (const { labelSelector } of topologySpreadConstraints)
      expect(labelSelector.matchLabels).toEqual(named('Deployment', role).spec.selector.matchLabels);
  });

  test('may be drained one after the other', () => {
    const { maxUnavailable } = named('PodDisruptionBudget', role).spec;
    const least = named('Deployment', role).spec.replicas ?? named('ScaledObject', role).spec.minReplicaCount;
    expect(maxUnavailable).toBe(1);
    expect(least).toBeGreaterThan(maxUnavailable);
  });
});

test('everybody reaches the API, and a Service leads there', () => {
  const { ingress } = named('NetworkPolicy', 'gateway').spec;
  expect(ingress).toContainEqual({ ports: [{ protocol: 'TCP', port: 'http' }] });
  expect(named('Service', 'gateway').spec.ports).toEqual([{ name: 'http', port: 80, targetPort: 'http' }]);
});

test('KEDA may ask a consumer that is not ready, because it may know the backlog all the same', () => {
  expect(named('Service', 'consumer').spec.publishNotReadyAddresses).toBe(true);
});

/** https://keda.sh/docs/latest/reference/scaledobject-spec, whose schema is not among those of Kubernetes. */
test('the ScaledObject has only fields that KEDA knows', () => {
  const { apiVersion, spec } = named('ScaledObject', 'consumer');
  expect(apiVersion).toBe('keda.sh/v1alpha1');
  expect(Object.keys(spec).sort()).toEqual([
    ...['advanced', 'maxReplicaCount', 'minReplicaCount', 'pollingInterval', 'scaleTargetRef', 'triggers'],
  ]);
  expect(Object.keys(spec.advanced)).toEqual(['horizontalPodAutoscalerConfig']);
  expect(Object.keys(spec.advanced.horizontalPodAutoscalerConfig)).toEqual(['behavior']);
  expect(Object.keys(spec.triggers[0].metadata).sort()).toEqual(['targetValue', 'url', 'valueLocation']);
});
