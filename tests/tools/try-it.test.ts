import { expect, test } from '@jest/globals';
import { tryItOf } from '../../tools/start/environment.ts';

test('npm start lets the API kill its workers, where nobody but the developer can call', () => {
  const ports = { metricsPort: 9_464 };
  expect(tryItOf({}, { ...ports, host: '127.0.0.1' })).toEqual({ TRY_IT_PORT: '9464', TRY_IT_ROUTES: 'on' });
  expect(tryItOf({}, { ...ports, host: '0.0.0.0' })).toEqual({});
  expect(tryItOf({ TRUSTED_PROXIES: 'loopback' }, { ...ports, host: 'localhost' })).toEqual({});
});
