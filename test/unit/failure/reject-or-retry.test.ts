import { expect, test } from '@jest/globals';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import { rejectOrRetry } from '../../../src/failure/reject-or-retry.ts';

const failure = new Failure('NOT_A_VIDEO', 'ffprobe cannot read it');

test('a message whose failure is written down is rejected with it', async () => {
  expect(await rejectOrRetry(failure, { receiveCount: 1, isLastReceive: false }, async () => {})).toEqual({
    kind: 'reject',
    failure,
  });
});

test('while the database is away the message comes back instead, or nobody would ever hear of it', async () => {
  const away = new Failure('DATABASE_UNAVAILABLE', 'the server has closed the connection');
  const disposition = await rejectOrRetry(failure, { receiveCount: 3, isLastReceive: false }, () =>
    Promise.reject(away),
  );
  expect(disposition).toMatchObject({ kind: 'retry', failure: away });
});

test('what the database refuses for good does not keep the message', async () => {
  const refused = new Failure('CONSTRAINT_BROKEN', 'a value does not fit');
  expect(
    await rejectOrRetry(failure, { receiveCount: 1, isLastReceive: false }, () => Promise.reject(refused)),
  ).toEqual({ kind: 'reject', failure });
});

test.each(['CREDENTIALS', 'DATABASE_NOT_MIGRATED'] as const)(
  'what this host may not write down (%s) ends the worker, and no message for it',
  async (code) => {
    const refused = new Failure(code, 'permission denied for table error_events');
    const record = (): Promise<never> => Promise.reject(refused);
    expect(await rejectOrRetry(failure, { receiveCount: 1, isLastReceive: false }, record)).toEqual({
      kind: 'halt',
      failure: refused,
    });
    expect(await rejectOrRetry(failure, { receiveCount: 5, isLastReceive: true }, record)).toEqual({
      kind: 'reject',
      failure,
    });
  },
);

test('a worker that stops while it writes the failure down gives the message back untouched', async () => {
  const stops = new Interruption('shutdown', 'the worker stops');
  expect(await rejectOrRetry(failure, { receiveCount: 1, isLastReceive: false }, () => Promise.reject(stops))).toEqual({
    kind: 'abandon',
    why: 'shutdown',
  });
});
