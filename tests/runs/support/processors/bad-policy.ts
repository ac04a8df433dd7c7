export const policy = { maxAttempts: 0, onFailure: 'wait', timeoutSeconds: 3 };
export default (request: unknown) => request;
