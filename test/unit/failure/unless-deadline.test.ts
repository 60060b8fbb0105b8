import { expect, test } from '@jest/globals';
import { Interruption } from '../../../src/failure/failure.ts';
import { unlessDeadline } from '../../../src/failure/unless-deadline.ts';

const deadline = new Interruption('deadline', 'too long');
const shutdown = new Interruption('shutdown', 'the worker stops');

test.each(['before', 'after'] as const)('what fires %s passes, but for a deadline', (when) => {
  for (const [reason, passes] of [
    [deadline, false],
    [shutdown, true],
    [new Error('another'), true],
  ] as const) {
    const job = new AbortController();
    if (when === 'before') job.abort(reason);
    const signal = unlessDeadline(job.signal);
    if (when === 'after') {
      expect(signal.aborted).toBe(false);
      job.abort(reason);
    }
    expect(signal.aborted).toBe(passes);
    if (passes) expect(signal.reason).toBe(reason);
  }
});
