/** "Try it" of the console may kill workers: only where nobody but the developer can call. */

const loopback = /^(localhost|127(\.\d+){3}|::1)$/;

/** Why `TRY_IT_PORT` must not be set here: the texts of validation errors, without its name. */
export const whyNotTryIt = (host: string, env: NodeJS.ProcessEnv): string[] => [
  ...(loopback.test(host) ? [] : [`HOST must be a loopback address, such as 127.0.0.1, not ${host}`]),
  ...(env.TRUSTED_PROXIES ? ['TRUSTED_PROXIES must not be set: somebody passes calls on'] : []),
  ...(env.NODE_ENV === 'production' ? ['NODE_ENV must not be production'] : []),
  ...(env.AWS_LAMBDA_RUNTIME_API ? ['it cannot be set on AWS Lambda'] : []),
];
