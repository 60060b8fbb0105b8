import type { Step } from './run-steps.ts';

/** Types, with what the last run found out kept beside the other things of this checkout. */
const types: Step = {
  name: 'types',
  command: ['tsc', '--noEmit', '--incremental', '--tsBuildInfoFile', '.local/types.tsbuildinfo'],
};

/** What may run at once: each needs only the source files, and no server. */
export function quickSteps(): readonly Step[] {
  return [
    { name: 'unit tests', command: ['npm', 'run', '--silent', 'test', '--', 'test/unit'] },
    types,
    { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
    { name: 'packages', command: ['npm', 'run', '--silent', 'audit:deps'] },
    { name: 'format', command: ['npm', 'run', '--silent', 'format:check'] },
  ];
}

/** The types, and the unit tests that reach a file which git has not stored as it is now. */
export function stepsOfWhatChanged(): readonly Step[] {
  return [
    types,
    {
      name: 'unit tests of what changed',
      // As a pattern of its own the folder would make Jest run all of it.
      command: ['npm', 'run', '--silent', 'test', '--', '--onlyChanged', '--testMatch', '**/test/unit/**/*.test.ts'],
    },
  ];
}
