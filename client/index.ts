/** `@lanekeeper/client`: a queue of its own for each user, from a browser or from Node. */
export { type ConnectOptions, connect, register } from './connect.ts';
export {
  ApiError,
  type ApiProblem,
  ClosedError,
  type Problem,
  RequestCancelledError,
  RequestFailedError,
  type UnexpectedAnswer,
  UnreachableError,
} from './errors.ts';
export type { Credentials } from './session.ts';
export type {
  Accepted,
  CallOptions,
  DisconnectOptions,
  EnqueueManyOptions,
  EnqueueOptions,
  LaneEvent,
  LanekeeperClient,
  LaneRequest,
  Limits,
  PageOptions,
  Queue,
  QueueEvent,
  QueueProgress,
  RequestEvent,
  RequestPage,
  RequestState,
  RequestStatus,
  RunError,
  StateEvent,
  StateEventType,
} from './types.ts';
