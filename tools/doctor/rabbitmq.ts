/** What doctor checks in RabbitMQ: version, channels, and whether the user may do what its role needs, and no more. */
import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import { channelMaxOf } from '../../lib/broker/connection.ts';
import { channelsNeeded } from '../../lib/broker/limits.ts';
import { userQueue } from '../../lib/broker/names.ts';
import type { Config } from '../../lib/config.ts';
import { urlsOfHosts } from '../../lib/server-url.ts';
import type { Role } from '../../lib/settings.ts';
import { docsFile } from '../run-tool.ts';
import { broken, type Finding, messageOf, ok, warning } from './finding.ts';

const connectTimeoutMs = 5_000;
/** The oldest that the tests have run on. */
const oldest: [major: number, minor: number] = [3, 10];
/** Follows the advice, where the page is shipped. */
const chapter = (): string => {
  const page = docsFile('deploy.md');
  return page ? `: ${page}, Permissions, has the right ones.` : '.';
};

const checkServer = (model: ChannelModel): Finding => {
  const { version } = model.connection.serverProperties;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  return isOld
    ? warning('RabbitMQ', `version ${version}`, `Use version ${oldest.join('.')} or later.`)
    : ok('RabbitMQ', `version ${version}`);
};

const checkChannels = (model: ChannelModel, { lanes }: Config): Finding => {
  const allowed = channelMaxOf(model);
  const needed = channelsNeeded(lanes);
  const found = `${allowed} in a connection; ${needed} may be needed`;
  if (allowed >= needed) return ok('channels of RabbitMQ', found);
  return warning(
    'channels of RabbitMQ',
    found,
    `Set channel_max in the configuration of RabbitMQ to ${needed} or more.`,
  );
};

/** Resolves with the reason why RabbitMQ refuses it. RabbitMQ closes the channel then. */
const refusalOf = async (
  model: ChannelModel,
  act: (channel: Awaited<ReturnType<ChannelModel['createConfirmChannel']>>) => Promise<unknown>,
): Promise<string | undefined> => {
  const channel = await model.createConfirmChannel();
  const refused = new Promise<string>((resolve) => channel.on('error', (error) => resolve(messageOf(error))));
  const done = act(channel).then(
    () => undefined,
    () => refused,
  );
  const reason = await Promise.race([done, refused]);
  if (!reason) await channel.close();
  return reason;
};

/** The queue goes with the connection. */
const mayDeclare = async (model: ChannelModel, name: string): Promise<string | undefined> =>
  refusalOf(model, (channel) => channel.assertQueue(name, { exclusive: true, durable: false }));

/** Goes to no queue. */
const mayPublish = (model: ChannelModel, name: string): Promise<string | undefined> =>
  refusalOf(model, async (channel) => {
    channel.sendToQueue(name, Buffer.from('{}'));
    await channel.waitForConfirms();
  });

const checkRights = async (role: Role, model: ChannelModel, { queuePrefix }: Config): Promise<Finding> => {
  const check = `rights in RabbitMQ (${role === 'functions' ? 'API' : 'consumer'})`;
  const own = userQueue(queuePrefix, `doctor-${randomUUID()}`);
  const needed = [await mayPublish(model, own), role === 'consumer' ? await mayDeclare(model, own) : undefined];
  const refusal = needed.find((reason) => reason !== undefined);
  if (refusal) return broken(check, refusal, `Give the user of RABBITMQ_URL the permissions of its role${chapter()}`);
  const foreign = role === 'functions' ? own : `doctor-${randomUUID()}`;
  const mayMore = !(await mayDeclare(model, foreign));
  return mayMore
    ? warning(
        check,
        'the user may declare queues that its role does not need',
        `Give each role a user of its own${chapter()}`,
      )
    : ok(check, 'as much as the role needs, and no more');
};

/** With classic queues, a lane whose node is down has no owner until the node is back. */
const checkLanes = (url: string, { laneQueueType }: Config): Finding[] => {
  if (urlsOfHosts(url).length === 1) return [];
  const found = `${laneQueueType} queues in a cluster`;
  if (laneQueueType === 'quorum') return [ok('lanes in RabbitMQ', found)];
  return [
    warning('lanes in RabbitMQ', found, 'Set LANE_QUEUE_TYPE=quorum, so that lanes outlive a node of the cluster.'),
  ];
};

type Reached = { model: ChannelModel | undefined; unreachable: Finding[] };

/** Connects to the first host that can be reached, and tries the others too. */
const reach = async (url: string): Promise<Reached> => {
  const reached: Reached = { model: undefined, unreachable: [] };
  for (const urlOfHost of urlsOfHosts(url)) {
    try {
      const model = await connect(urlOfHost, { timeout: connectTimeoutMs });
      model.on('error', () => undefined);
      if (reached.model) await model.close();
      else reached.model = model;
    } catch (error) {
      const todo = 'Start this node, or take its host out of RABBITMQ_URL.';
      reached.unreachable.push(warning(`RabbitMQ at ${new URL(urlOfHost).host}`, messageOf(error), todo));
    }
  }
  return reached;
};

/** @param urls of the roles that are checked. */
export const checkRabbitmq = async (urls: Partial<Record<Role, string>>, config: Config): Promise<Finding[]> => {
  const findings: Finding[] = [];
  for (const [role, url] of Object.entries(urls) as [Role, string][]) {
    const { model, unreachable } = await reach(url);
    try {
      if (!model) {
        const todo = 'Start it, or correct RABBITMQ_URL. In development, lanekeeper services does both.';
        return [...findings, broken('RabbitMQ', unreachable.map(({ found }) => found).join('; '), todo)];
      }
      if (findings.length === 0) findings.push(checkServer(model), checkChannels(model, config), ...unreachable);
      if (role === 'consumer') findings.push(...checkLanes(url, config));
      findings.push(await checkRights(role, model, config));
    } catch (error) {
      return [...findings, broken('RabbitMQ', messageOf(error), 'Look into the log of RabbitMQ.')];
    } finally {
      await model?.close().catch(() => undefined);
    }
  }
  return findings;
};
