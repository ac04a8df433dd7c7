/** Callers that cost too much. They must hold up nobody else. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultKind } from '../judge/history.ts';
import { monotonicMs } from '../system/monotonic.ts';
import { free, type Injector } from './injector.ts';
import type { Random } from './random.ts';
import { hangUp, stormLogins } from './rude-callers.ts';
import type { Api, Stage } from './stage.ts';
import type { Users } from './users.ts';

const flood = { users: 6, requestsEach: 9 };
const loginsAtOnce = 50;
const callersThatHangUp = 40;
/** Their requests run for long, and the callers that hang up had waited for them. */
const waitingUsers = 3;
const betweenStormsMs = 100;

type CallerFaultOptions = { stage: Pick<Stage, 'apis'>; users: Pick<Users, 'tokens' | 'send'> };

export const createCallerFaults = ({
  stage,
  users,
}: CallerFaultOptions): Record<'large requests' | 'login storm' | 'clients hung up', Injector> => {
  const atApi =
    (kind: FaultKind, act: (api: Api, random: Random) => Promise<unknown>): Injector =>
    async ({ random, lastsMs }) => {
      const apis = free(stage.apis);
      if (apis.length === 0) return [];
      // Other faults may hit it meanwhile: the callers do not mind.
      const api = random.pick(apis);
      const at = monotonicMs();
      do {
        await act(api, random);
        await pause(betweenStormsMs);
      } while (monotonicMs() - at < lastsMs);
      return [{ kind, at, until: monotonicMs(), target: api.name }];
    };

  const floodWithLarge: Injector = async ({ random }) => {
    const at = monotonicMs();
    const sent = await users.send('large', flood.users, random, flood.requestsEach);
    return sent.length === 0 ? [] : [{ kind: 'large-requests', at, until: monotonicMs() }];
  };

  return {
    'large requests': floodWithLarge,
    'login storm': atApi('login-storm', ({ url }, random) => stormLogins(url, loginsAtOnce, random)),
    'clients hung up': async (planned) => {
      const sent = await users.send('long', waitingUsers, planned.random);
      const pending = sent.flatMap(({ userId, seq }) => {
        const token = users.tokens().get(userId);
        return token ? [{ token, seq }] : [];
      });
      const act = ({ url }: Api, random: Random) => hangUp(url, pending, callersThatHangUp, random);
      return atApi('clients-hung-up', act)(planned);
    },
  };
};
