/** Places for what a process streams: events of users and the overview share them. */
import type { Config } from '../config.ts';
import { BusyError, TooManyStreamsError } from '../errors.ts';
import { createPlaces } from '../places.ts';

type Limits = Pick<Config, 'maxStreams' | 'maxUserStreams' | 'maxSessionStreams' | 'maxKeyStreams'>;

export type StreamPlaces = ReturnType<typeof createPlaces>;

export const createStreamPlaces = ({
  maxStreams,
  maxUserStreams,
  maxSessionStreams,
  maxKeyStreams,
}: Limits): StreamPlaces =>
  createPlaces({
    ...{ all: maxStreams, perUser: maxUserStreams, perSession: maxSessionStreams, perKey: maxKeyStreams },
    tooMany: (whose, limit) => new TooManyStreamsError(whose, limit),
    full: (limit) => new BusyError(`${limit} streams of events are open here; no more may be (MAX_STREAMS).`),
  });
