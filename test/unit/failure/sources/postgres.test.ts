import { expect, test } from '@jest/globals';
import type { FailureCode } from '../../../../src/failure/codes.ts';
import { databaseFacts } from '../../../../src/failure/sources/broken-rule.ts';
import { databaseAdvice, databaseSignOf } from '../../../../src/failure/sources/postgres.ts';

function coded(code: string, message = 'it did not work', cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

/** The shape in which Prisma passes on what its driver adapter was told. */
function fromAdapter(prismaCode: string, cause: Record<string, unknown>): Error {
  return Object.assign(new Error('Raw query failed'), { code: prismaCode, meta: { driverAdapterError: { cause } } });
}

test.each<[string, FailureCode | null]>([
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
  ['23503', 'DATABASE_CONFLICT'],
  ['23514', 'CONSTRAINT_BROKEN'],
  ['23502', 'CONSTRAINT_BROKEN'],
  ['23P01', 'CONSTRAINT_BROKEN'],
  ['23000', 'CONSTRAINT_BROKEN'],
  ['23001', 'CONSTRAINT_BROKEN'],
  ['22003', 'CONSTRAINT_BROKEN'],
  ['22P02', 'CONSTRAINT_BROKEN'],
  ['22021', 'CONSTRAINT_BROKEN'],
  ['P1001', 'DATABASE_UNAVAILABLE'],
  ['P2024', 'DATABASE_UNAVAILABLE'],
  ['P2028', 'DATABASE_UNAVAILABLE'],
  ['P2034', 'DATABASE_CONFLICT'],
  ['P2021', 'DATABASE_NOT_MIGRATED'],
  ['ECONNREFUSED', 'DATABASE_UNAVAILABLE'],
  ['ECONNRESET', 'DATABASE_UNAVAILABLE'],
  ['ENOTFOUND', 'DATABASE_UNAVAILABLE'],
  ['ENETDOWN', 'DATABASE_UNAVAILABLE'],
  ['ENOENT', 'DATABASE_UNAVAILABLE'],
  ['EPERM', null],
  ['ENOSPC', null],
  ['constructor', null],
])('%s is %s', (code, expected) => {
  expect(databaseSignOf(coded(code))?.code ?? null).toBe(expected);
});

test('the driver below Prisma knows more than Prisma', () => {
  const away = fromAdapter('P2010', { originalCode: '57P01', kind: 'postgres' });
  expect(databaseSignOf(away)).toEqual({ code: 'DATABASE_UNAVAILABLE', external: '57P01' });
  const lost = fromAdapter('P2028', { kind: 'TransactionWriteConflict' });
  expect(databaseSignOf(lost)?.code).toBe('DATABASE_CONFLICT');
  const ours = fromAdapter('P2039', { originalCode: '23514', kind: 'postgres' });
  expect(databaseSignOf(ours)).toEqual({ code: 'CONSTRAINT_BROKEN', external: '23514' });
  const tooLarge = fromAdapter('P2010', { kind: 'ValueOutOfRange' });
  expect(databaseSignOf(tooLarge)?.code).toBe('CONSTRAINT_BROKEN');
});

test('a refused row says which rule it breaks, through the driver as through Prisma, and nothing of its values', () => {
  const words = 'new row for relation "scenes" violates check constraint "scenes_source_check"';
  const driver = Object.assign(coded('23514', words), { table: 'scenes', constraint: 'scenes_source_check' });
  const rule = { external: '23514', table: 'scenes', constraint: 'scenes_source_check' };
  expect(databaseFacts('23514', driver)).toEqual(rule);
  const passedOn = { originalCode: '23514', originalMessage: words, detail: 'Failing row contains (secret).' };
  expect(databaseFacts('23514', fromAdapter('P2039', passedOn))).toEqual(rule);
  const missing = 'null value in column "text" of relation "scenes" violates not-null constraint';
  expect(databaseFacts('23502', fromAdapter('P2010', { originalMessage: missing }))).toEqual({
    external: '23502',
    table: 'scenes',
    column: 'text',
  });
  expect(databaseFacts('57P01', driver)).toEqual({ external: '57P01' });
});

test('a certificate that is not trusted is no absent server, whoever tells of it', () => {
  const text = "Hostname/IP does not match certificate's altnames: Host: localhost. is not in the cert's altnames";
  for (const error of [
    coded('SELF_SIGNED_CERT_IN_CHAIN'),
    coded('CERT_HAS_EXPIRED'),
    coded('ERR_TLS_CERT_ALTNAME_INVALID', text),
    coded('P1011', `Error opening a TLS connection: ${text}`),
    fromAdapter('P2010', { kind: 'TlsConnectionError', reason: 'self-signed certificate' }),
  ]) {
    expect(databaseSignOf(error)?.code).toBe('CERTIFICATE');
  }
  const without = 'The server does not support SSL connections';
  expect(databaseSignOf(coded('P1011', without))?.code).toBe('DATABASE_UNAVAILABLE');
  expect(databaseAdvice('CERTIFICATE')).toMatch(/sslrootcert=.*NODE_EXTRA_CA_CERTS/);
});

test('what a pooler refuses of the URL is a configuration error, and another broken protocol a broken connection', () => {
  const refused = 'unsupported startup parameter: options';
  expect(databaseSignOf(coded('08P01', refused))?.code).toBe('CONFIG_INVALID');
  const passedOn = fromAdapter('P2010', { originalCode: '08P01', originalMessage: refused, kind: 'postgres' });
  expect(databaseSignOf(passedOn)?.code).toBe('CONFIG_INVALID');
  expect(databaseSignOf(coded('08P01', 'query_wait_timeout'))?.code).toBe('DATABASE_UNAVAILABLE');
});

test('a cause is looked through, also one of several and one that is its own cause', () => {
  const wrapped = new Error('outer', { cause: new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]) });
  expect(databaseSignOf(wrapped)?.code).toBe('DATABASE_UNAVAILABLE');
  const circle = new Error('round');
  circle.cause = circle;
  expect(databaseSignOf(circle)).toBeNull();
});

test.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Query read timeout'])(
  'a driver error without a code is known by its words: %s',
  (message) => {
    expect(databaseSignOf(new Error(message))?.code).toBe('DATABASE_UNAVAILABLE');
  },
);
