import { expect, test } from '@jest/globals';
import type { FailureCode } from '../../../../src/failure/codes.ts';
import { Failure } from '../../../../src/failure/failure.ts';
import { toDatabaseFailure } from '../../../../src/failure/sources/postgres.ts';

function coded(code: string, message = 'it did not work', cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

/** The shape in which Prisma passes on what its driver adapter was told. */
function fromAdapter(prismaCode: string, cause: Record<string, unknown>): Error {
  return Object.assign(new Error('Raw query failed'), { code: prismaCode, meta: { driverAdapterError: { cause } } });
}

test.each<[string, FailureCode]>([
  ['40001', 'DATABASE_CONFLICT'],
  ['40P01', 'DATABASE_CONFLICT'],
  ['55P03', 'DATABASE_CONFLICT'],
  ['23505', 'DATABASE_CONFLICT'],
  ['08006', 'DATABASE_UNAVAILABLE'],
  ['53300', 'DATABASE_UNAVAILABLE'],
  ['53100', 'DATABASE_UNAVAILABLE'],
  ['57014', 'DATABASE_UNAVAILABLE'],
  ['57P01', 'DATABASE_UNAVAILABLE'],
  ['57P03', 'DATABASE_UNAVAILABLE'],
  ['25006', 'DATABASE_UNAVAILABLE'],
  ['28P01', 'CREDENTIALS'],
  ['28000', 'CREDENTIALS'],
  ['42501', 'CREDENTIALS'],
  ['3D000', 'DATABASE_NOT_MIGRATED'],
  ['42P01', 'DATABASE_NOT_MIGRATED'],
  ['42703', 'DATABASE_NOT_MIGRATED'],
  ['23514', 'UNKNOWN'],
  ['22003', 'UNKNOWN'],
  ['P1001', 'DATABASE_UNAVAILABLE'],
  ['P2024', 'DATABASE_UNAVAILABLE'],
  ['P2028', 'DATABASE_UNAVAILABLE'],
  ['P2034', 'DATABASE_CONFLICT'],
  ['P2021', 'DATABASE_NOT_MIGRATED'],
  ['ECONNREFUSED', 'DATABASE_UNAVAILABLE'],
  ['ECONNRESET', 'DATABASE_UNAVAILABLE'],
  ['ENOTFOUND', 'DATABASE_UNAVAILABLE'],
  ['EPERM', 'UNKNOWN'],
])('%s is %s', (code, expected) => {
  expect(toDatabaseFailure(coded(code), 'do it').code).toBe(expected);
});

test('the driver below Prisma knows more than Prisma', () => {
  const away = fromAdapter('P2010', { originalCode: '57P01', kind: 'postgres' });
  expect(toDatabaseFailure(away, 'do it')).toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    details: { external: '57P01' },
  });
  const lost = fromAdapter('P2028', { kind: 'TransactionWriteConflict' });
  expect(toDatabaseFailure(lost, 'do it').code).toBe('DATABASE_CONFLICT');
  const ours = fromAdapter('P2039', { originalCode: '23514', kind: 'postgres' });
  expect(toDatabaseFailure(ours, 'do it').code).toBe('UNKNOWN');
});

test('a cause is looked through, also one of several and one that is its own cause', () => {
  const wrapped = new Error('outer', { cause: new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]) });
  expect(toDatabaseFailure(wrapped, 'do it').code).toBe('DATABASE_UNAVAILABLE');
  const circle = new Error('round');
  circle.cause = circle;
  expect(toDatabaseFailure(circle, 'do it').code).toBe('UNKNOWN');
});

test.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Query read timeout'])(
  'a driver error without a code is known by its words: %s',
  (message) => {
    expect(toDatabaseFailure(new Error(message), 'do it').code).toBe('DATABASE_UNAVAILABLE');
  },
);

test('the message says what was tried, what went wrong and what to do; the cause is kept; the text is bounded', () => {
  const error = coded('42P01', `\nInvalid call:\n\nrelation "videos" does not exist`);
  const failure = toDatabaseFailure(error, 'list the videos');
  expect(failure.message).toMatch(
    /^database: could not list the videos: relation "videos" does not exist; check .*db migrate/,
  );
  expect(failure.cause).toBe(error);
  expect(toDatabaseFailure(new Error('x'.repeat(10_000)), 'do it').message.length).toBeLessThan(600);
});

test('a failure passes unchanged, and what is not an error still becomes one', () => {
  const failure = new Failure('RUN_SUPERSEDED', 'lost');
  expect(toDatabaseFailure(failure, 'do it')).toBe(failure);
  expect(toDatabaseFailure('text', 'do it')).toMatchObject({ code: 'UNKNOWN', cause: 'text' });
});
