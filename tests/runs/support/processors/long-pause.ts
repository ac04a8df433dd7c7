export const policy = { retryBaseMs: 60_000 };
export default (request: unknown) => request;
