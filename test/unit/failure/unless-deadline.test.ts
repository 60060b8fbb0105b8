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
    using bounded = unlessDeadline(job.signal, 60_000);
    const { signal } = bounded;
    if (when === 'after') {
      expect(signal.aborted).toBe(false);
      job.abort(reason);
    }
    expect(signal.aborted).toBe(passes);
    if (passes) expect(signal.reason).toBe(reason);
  }
});

test('its own limit ends it with a failure that is temporary', async () => {
  using bounded = unlessDeadline(new AbortController().signal, 1);
  await new Promise((resolve) => {
    bounded.signal.addEventListener('abort', resolve, { once: true });
  });
  expect(bounded.signal.reason).toMatchObject({ code: 'TIMEOUT', class: 'temporary' });
});

test('once it is over nothing passes any more', () => {
  const job = new AbortController();
  const bounded = unlessDeadline(job.signal, 60_000);
  bounded[Symbol.dispose]();
  job.abort(shutdown);
  expect(bounded.signal.aborted).toBe(false);
});
