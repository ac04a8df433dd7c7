/** The chart itself: helm lints and renders it, and the result is valid for Kubernetes. `npm run test:kubernetes` runs this file too. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { pythonPackages } from '../support/python-packages.ts';
import { chart, forKubernetes, getHelm, renderChart, rendered } from './helm.ts';
import { objectsOf, renderedFiles, renderedObjects } from './support.ts';

const run = promisify(execFile);
const helm = await getHelm();
const path = 'path' in helm ? helm.path : '';
const whenHelm = 'path' in helm ? describe : describe.skip;
const title = 'path' in helm ? 'the chart' : `the chart, skipped: ${helm.reason}`;

const outputOf = async (command: string, args: string[]): Promise<{ failed: boolean; text: string }> => {
  const done = await run(command, args).then(
    ({ stdout, stderr }) => ({ failed: false, text: stdout + stderr }),
    ({ stdout, stderr }) => ({ failed: true, text: stdout + stderr }),
  );
  return done;
};

whenHelm(title, () => {
  test('passes helm lint', async () => {
    const { failed, text } = await outputOf(path, ['lint', '--strict', ...forKubernetes, chart]);
    expect({ failed, text }).toMatchObject({ failed: false });
  });

  test('renders to what deploy/kubernetes/rendered holds; npm run render:kubernetes writes it', async () => {
    const files = await renderChart(path);
    expect([...files.keys()].sort()).toEqual(renderedFiles());
    for (const [name, text] of files) expect(await readFile(join(rendered, name), 'utf8')).toBe(text);
  });

  test('refuses values that the schema does not know, passwords among the settings included', async () => {
    const refused = [
      'consumer.worker=3',
      'consumer.workers=0',
      'settings.LANES=64',
      'settings.MONGODB_URL="mongodb://x"',
      'consumer.autoscaling.scaler="rabbitmq"',
    ];
    for (const value of refused) {
      const { failed, text } = await outputOf(path, [
        'template',
        'lanekeeper',
        chart,
        ...forKubernetes,
        '--set-json',
        value,
      ]);
      expect({ value, failed, text }).toMatchObject({
        failed: true,
        text: expect.stringContaining("values don't meet the specifications"),
      });
    }
  });

  test('renders other choices: no autoscaler, Prometheus, a webhook, an autoscaler of the gateway, no policies', async () => {
    const objects = objectsOf(
      [
        ...(
          await renderChart(path, [
            'consumer.autoscaling.scaler="prometheus"',
            'secrets.webhook.name="hook"',
            'gateway.autoscaling.enabled=true',
            'networkPolicy.enabled=false',
          ])
        ).values(),
      ].join('\n'),
    );
    const kinds = objects.map(({ kind }) => kind);
    expect(kinds).toContain('HorizontalPodAutoscaler');
    expect(kinds).not.toContain('NetworkPolicy');
    const scaled = objects.find(({ kind }) => kind === 'ScaledObject').spec.triggers[0];
    expect(scaled.metadata).toMatchObject({ query: 'max(lanekeeper_workers_wanted > 0)', ignoreNullValues: 'false' });
    const consumer = objects.find(({ kind, metadata }) => kind === 'Deployment' && /consumer/.test(metadata.name));
    expect(JSON.stringify(consumer)).toContain('"/run/secrets/lanekeeper/webhook-secret"');
    const fixed = objectsOf([...(await renderChart(path, ['consumer.autoscaling.enabled=false'])).values()].join('\n'));
    expect(fixed.some(({ kind }) => kind === 'ScaledObject')).toBe(false);
    expect(
      fixed.find((one) => one.kind === 'Deployment' && one.metadata.name === 'lanekeeper-consumer').spec.replicas,
    ).toBe(2);
  });
});

const version = '1.37.0';
/** About 140 MB, with the schemas of all versions. */
const python = await pythonPackages(`kubernetes-validate-${version}`, "kubernetes-validate's packages", [
  `kubernetes-validate==${version}`,
]);
const reason = 'reason' in python ? python.reason : undefined;
const validator = 'bin' in python ? join(python.bin, 'kubernetes-validate') : '';
const whenValidator = reason ? describe.skip : describe;

whenValidator(reason ? `Kubernetes' schemas, skipped: ${reason}` : "Kubernetes' schemas", () => {
  const validate = async (objects: unknown[], kubernetes: string) => {
    const scratch = await mkdtemp(join(tmpdir(), 'lanekeeper-kubernetes-'));
    try {
      const files = objects.map((_object, index) => join(scratch, `${index}.yaml`));
      await Promise.all(objects.map((object, index) => writeFile(files[index] ?? '', stringify(object))));
      return await outputOf(validator, ['--strict', '-k', kubernetes, ...files]);
    } finally {
      await rm(scratch, { recursive: true });
    }
  };
  // The schemas of KEDA's own kinds are not among them.
  const known = renderedObjects().filter(({ apiVersion }) => !apiVersion.startsWith('keda.sh/'));

  test.each(['1.27', '1.37'])('%s accepts every rendered object', async (kubernetes) => {
    expect(known.length).toBeGreaterThan(8);
    const { failed, text } = await validate(known, kubernetes);
    expect({ failed, text }).toMatchObject({ failed: false });
  });

  const testWithHelm = 'path' in helm ? test : test.skip;
  testWithHelm('accept every choice of the chart, and the behavior that KEDA hands on', async () => {
    const choices = [
      'consumer.autoscaling.enabled=false',
      'gateway.autoscaling.enabled=true',
      'images.pullSecrets=["registry"]',
      'secrets.webhook.name="hook"',
      'nodeSelector={"pool":"queues"}',
      'tolerations=[{"key":"queues","operator":"Exists"}]',
      'gateway.podAnnotations={"team":"a"}',
      'consumer.podAnnotations={"team":"a"}',
      'networkPolicy.gatewayFrom=[{"podSelector":{"matchLabels":{"app":"ingress"}}}]',
      'networkPolicy.gatewayTo=[{"ports":[{"protocol":"TCP","port":443}]}]',
      'networkPolicy.consumerTo=[{"ports":[{"protocol":"TCP","port":443}]}]',
    ];
    const chosen = objectsOf([...(await renderChart(path, choices)).values()].join('\n'));
    const scaler = chosen.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
    const scaled = chosen.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'lanekeeper-gateway');
    expect(scaler.spec.scaleTargetRef).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: scaled.metadata.name,
    });
    expect(scaled.spec.replicas).toBeUndefined();
    const keda = renderedObjects().find(({ kind }) => kind === 'ScaledObject').spec.advanced
      .horizontalPodAutoscalerConfig;
    const handedOn = { ...scaler, spec: { ...scaler.spec, ...keda } };
    const { failed, text } = await validate([...chosen, handedOn], '1.37');
    expect({ failed, text }).toMatchObject({ failed: false });
  });

  test('refuse a field that does not exist', async () => {
    const deployment = structuredClone(known.find(({ kind }) => kind === 'Deployment'));
    deployment.spec.template.spec.terminationGraceSeconds = 5;
    expect(await validate([deployment], '1.37')).toMatchObject({ failed: true });
  });
});
