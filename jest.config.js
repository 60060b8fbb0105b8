/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/harness/test-environment.cjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.local'],
  reporters: ['default', '<rootDir>/test/harness/skipped-reporter.ts'],
  testTimeout: 60_000,
  maxWorkers: 2,
};
