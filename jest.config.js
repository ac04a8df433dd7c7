/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  // `npm run test:slow` runs these, and `npm test` the others: CI has 20 minutes.
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.SLOW_TESTS ? [] : ['\\.slow\\.test\\.ts$'])],
  // The package that `npm run package` builds there has the name of this one.
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }],
  },
  globalSetup: '<rootDir>/tests/setup/servers.ts',
  testSequencer: '<rootDir>/tests/setup/longest-first.js',
  reporters: ['default', '<rootDir>/tests/support/reporter.ts'],
  testTimeout: 30_000,
  maxWorkers: 2,
};
