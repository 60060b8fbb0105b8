import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { toDatabaseFailure } from '../../../src/persistence/database-failure.ts';

function coded(code: string, message = 'it did not work'): Error {
  return Object.assign(new Error(message), { code });
}

test('the message says what was tried, what went wrong and what to do; the cause is kept; the text is bounded', () => {
  const error = coded('42P01', `\nInvalid call:\n\nrelation "videos" does not exist`);
  const failure = toDatabaseFailure(error, 'list the videos');
  expect(failure.message).toMatch(
    /^database: could not list the videos: relation "videos" does not exist; check .*db migrate/,
  );
  expect(failure.cause).toBe(error);
  expect(toDatabaseFailure(new Error('x'.repeat(10_000)), 'do it').message.length).toBeLessThan(600);
});

test('what the database said goes along; a failure passes unchanged, and what is not an error still becomes one', () => {
  expect(toDatabaseFailure(coded('57P01'), 'do it').details).toEqual({ external: '57P01' });
  expect(toDatabaseFailure(coded('EPERM'), 'do it').details).toEqual({});
  const failure = new Failure('RUN_SUPERSEDED', 'lost');
  expect(toDatabaseFailure(failure, 'do it')).toBe(failure);
  expect(toDatabaseFailure('text', 'do it')).toMatchObject({ code: 'UNKNOWN', cause: 'text' });
});
