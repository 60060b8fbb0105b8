import { fileURLToPath } from 'node:url';

// Tests start many processes of this project: what Node compiles for one of them is there for the next.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('.local/compile-cache', import.meta.url));

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
  testSequencer: '<rootDir>/test/harness/slow-first-sequencer.cjs',
  reporters: [
    'default',
    '<rootDir>/test/harness/skipped-reporter.ts',
    '<rootDir>/test/harness/suite-times-reporter.cjs',
  ],
  // Only what hangs gets there, also on a machine that does much else; see run-tests.ts for the whole.
  testTimeout: 180_000,
  // One more than the two cores of the usual machine: many tests wait for time that is real.
  maxWorkers: 3,
};
