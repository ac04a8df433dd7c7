/** helm: the one in PATH, or one built from its Go module into a folder of the user's cache, once. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { goProgram, whyNoGoProgram } from '../support/go-program.ts';

const run = promisify(execFile);

const source = 'helm.sh/helm/v3/cmd/helm@v3.18.6';

/** A helm that Go has built takes the cluster for a very old one, unless it is told. */
export const forKubernetes = ['--kube-version', '1.37.0'];

export const chart = 'deploy/kubernetes/chart';
export const rendered = 'deploy/kubernetes/rendered';

/** Builds helm if there is none, which takes two minutes and Go. @returns its path, or why it cannot be had. */
export const getHelm = async (): Promise<{ path: string } | { reason: string }> => {
  const reason = whyNoGoProgram('helm', source);
  if (reason) return { reason };
  return goProgram('helm', source).then(
    (path) => ({ path }),
    (error) => ({ reason: `helm is not installed, and Go cannot build it: ${String(error).split('\n')[0]}` }),
  );
};

/** The files of the chart with these values, by name: what `deploy/kubernetes/rendered` holds without any. */
export const renderChart = async (helm: string, values: string[] = []): Promise<Map<string, string>> => {
  const set = values.flatMap((value) => ['--set-json', value]);
  const { stdout } = await run(
    helm,
    ['template', 'lanekeeper', chart, '--namespace', 'lanekeeper', ...forKubernetes, ...set],
    {
      maxBuffer: 16 * 1_048_576,
    },
  );
  const files = new Map<string, string>();
  for (const document of stdout.split(/^---\n/m).filter((text) => text.trim() !== '')) {
    const [, file = 'unknown'] = /^# Source: .*templates\/(\S+)$/m.exec(document) ?? [];
    const text = document.replace(/^# Source: .*\n/m, '');
    files.set(
      file,
      `${files.get(file) ?? '# Made by `npm run render:kubernetes` out of the chart. Do not edit.\n'}---\n${text}`,
    );
  }
  return files;
};
