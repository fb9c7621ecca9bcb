export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '@swc/jest' },
  testTimeout: 30_000,
  maxWorkers: 2,
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.aftersign'],
};
