/** The functions of docs/webhook.md, as they stand there, against calls that the webhook processor has signed. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import which from 'which';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { createWebhookProcessor } from '../../lib/runs/webhook.ts';
import { blocksOf, read } from '../docs/support/markdown.ts';
import { openHttpEndpoint } from './support/http-endpoint.ts';

// Go compiles its library once for a machine: a minute or two beside other work.
jest.setTimeout(300_000);

const run = promisify(execFile);
const whsec = (key: string) => `whsec_${Buffer.from(key.padEnd(32, '+')).toString('base64')}`;
const [oldSecret, newSecret, otherSecret] = [whsec('old'), whsec('new'), whsec('other')];
const plainSecret = 'a secret in plain words';

type Message = { id: string; timestamp: string; signature: string; body: string };
type Case = { title: string; secret: string; isGenuine: boolean } & Message;

/** A call that the processor really sent, at a time `agoMs` before now. */
const sent = async (secret: string, agoMs = 0): Promise<Message> => {
  await using endpoint = await openHttpEndpoint((response) => response.writeHead(204).end());
  const clock = { ...systemClock, now: () => new Date(Date.now() - agoMs) };
  const context = { userId: 'u1', user: 'adä', seq: 7, attempt: 1, fencingToken: 3 };
  const { signal } = new AbortController();
  const processor = createWebhookProcessor({ url: endpoint.url, secret, timeoutMs: 60_000 }, clock);
  await processor('{"text":"héllo","n":9007199254740993}', { ...context, signal, logger: createLogger('silent') });
  const { headers, body } = endpoint.received[0]!;
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    String(headers[name]),
  ) as [string, string, string];
  return { id, timestamp, signature, body };
};

const cases = async (): Promise<Case[]> => {
  const message = await sent(oldSecret);
  const rotated = await sent(`${newSecret} ${oldSecret}`);
  const old = await sent(oldSecret, 600_000);
  const ofOld = { secret: oldSecret, isGenuine: false, ...message };
  return [
    { ...ofOld, title: 'a signed call', isGenuine: true },
    { ...ofOld, title: 'a plain secret', isGenuine: true, ...(await sent(plainSecret)), secret: plainSecret },
    { ...ofOld, title: 'two signatures, and the old secret', isGenuine: true, ...rotated },
    { ...ofOld, title: 'two signatures, and the new secret', isGenuine: true, ...rotated, secret: newSecret },
    { ...ofOld, title: 'a body that was changed', body: message.body.replace('héllo', 'hello') },
    { ...ofOld, title: 'another id', id: 'u1:8' },
    { ...ofOld, title: 'the key of somebody else', secret: otherSecret },
    { ...ofOld, title: 'an old call', ...old },
    { ...ofOld, title: 'an old call with a new time', ...old, timestamp: message.timestamp },
    { ...ofOld, title: 'a call from the future', ...(await sent(oldSecret, -600_000)) },
    { ...ofOld, title: 'a time that is none', timestamp: 'now' },
    { ...ofOld, title: 'no signature', signature: '' },
    { ...ofOld, title: 'a signature of another length', signature: 'v1,AAAA' },
  ];
};

/** What a harness reads: a line for each case, its fields in base64. It prints `true` or `false` for each. */
const lineOf = ({ secret, id, timestamp, signature, body }: Case): string =>
  [secret, id, timestamp, signature, body].map((text) => Buffer.from(text).toString('base64')).join(',');

const [python = '', go = '', java = '', ts = ''] = ['python', 'go', 'java', 'ts'].map(
  (language) => blocksOf(read('docs/webhook.md'), language)[0],
);

const pythonMain = `
import sys
for line in open(sys.argv[1]):
    secret, id, timestamp, signature, body = [base64.b64decode(part) for part in line.rstrip("\\n").split(",")]
    headers = {"webhook-id": id.decode(), "webhook-timestamp": timestamp.decode(), "webhook-signature": signature.decode()}
    print("true" if is_genuine(secret.decode(), headers, body) else "false")
`;

const goMain = `package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

func main() {
	text, _ := os.ReadFile(os.Args[1])
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\\n"), "\\n") {
		var parts [][]byte
		for _, part := range strings.Split(line, ",") {
			decoded, _ := base64.StdEncoding.DecodeString(part)
			parts = append(parts, decoded)
		}
		headers := map[string]string{
			"webhook-id": string(parts[1]), "webhook-timestamp": string(parts[2]), "webhook-signature": string(parts[3]),
		}
		header := func(name string) string { return headers[name] }
		fmt.Println(isGenuine(string(parts[0]), header, parts[4]))
	}
}
`;

/** The launcher of a single file starts its first class. */
const javaMain = `
class Main {
  public static void main(String[] args) throws Exception {
    for (String line : java.nio.file.Files.readAllLines(java.nio.file.Path.of(args[0]))) {
      byte[][] parts = java.util.Arrays.stream(line.split(",", -1)).map(Base64.getDecoder()::decode).toArray(byte[][]::new);
      java.util.Map<String, String> headers = java.util.Map.of(
          "webhook-id", new String(parts[1], StandardCharsets.UTF_8),
          "webhook-timestamp", new String(parts[2], StandardCharsets.UTF_8),
          "webhook-signature", new String(parts[3], StandardCharsets.UTF_8));
      System.out.println(Webhook.isGenuine(new String(parts[0], StandardCharsets.UTF_8), headers::get, parts[4]));
    }
  }
}
`;

const tsMain = `
import { readFileSync } from 'node:fs';
for (const line of readFileSync(process.argv[2]!, 'utf8').trimEnd().split('\\n')) {
  const [secret, id, timestamp, signature, body] = line.split(',').map((part) => Buffer.from(part, 'base64')) as Buffer[];
  const headers: Record<string, string> = {
    'webhook-id': String(id), 'webhook-timestamp': String(timestamp), 'webhook-signature': String(signature),
  };
  console.log(isGenuine(String(secret), (name) => headers[name]!, body!));
}
`;

const withMain = (text: string): string => text.replace('final class Webhook', `${javaMain}\nfinal class Webhook`);

/** Go builds without a module and without asking anybody for one. */
const goEnvironment = { GOTOOLCHAIN: 'local', GOPROXY: 'off', GOFLAGS: '-mod=mod', GO111MODULE: 'off' };

const languages = [
  { language: 'TypeScript', command: execPath, files: { 'main.ts': ts + tsMain }, args: ['main.ts'] },
  { language: 'Python', command: 'python3', files: { 'main.py': python + pythonMain }, args: ['main.py'] },
  { language: 'Go', command: 'go', files: { 'hook.go': go, 'main.go': goMain }, args: ['run', 'hook.go', 'main.go'] },
  { language: 'Java', command: 'java', files: { 'Main.java': withMain(java) }, args: ['Main.java'] },
];

const isInstalled = (command: string) => which.sync(command, { nothrow: true }) !== null;

describe('the webhook chapter', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webhook-chapter-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  for (const { language, command, files, args } of languages) {
    const runs = isInstalled(command) ? test : test.skip;
    const title = `tells in ${language} a genuine call from all others`;
    runs(isInstalled(command) ? title : `${title}: ${command} is not installed`, async () => {
      const all = await cases();
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      await writeFile(join(folder, 'cases'), `${all.map(lineOf).join('\n')}\n`);
      const env = { ...process.env, ...goEnvironment, NODE_OPTIONS: '' };
      const { stdout } = await run(command, [...args, 'cases'], { cwd: folder, env });
      const judged = stdout.trim().split('\n');
      expect(all.map(({ title }, index) => [title, judged[index]])).toEqual(
        all.map(({ title, isGenuine }) => [title, String(isGenuine)]),
      );
    });
  }
});
