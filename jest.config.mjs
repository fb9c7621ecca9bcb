export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '@swc/jest' },
  // On a machine that is slow or does other things too; what is wrong fails long before.
  testTimeout: 90_000,
  testSequencer: '<rootDir>/test/support/longest-first.mjs',
  // One more than CI has cores: much of the tests is waiting, for databases, services and a browser that they start.
  maxWorkers: 3,
  // What test files leave behind in a worker grows to 3 GB: before, a new one takes its place.
  workerIdleMemoryLimit: '1GB',
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.aftersign'],
};
