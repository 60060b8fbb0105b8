import { outsideText } from '../../text/outside-text.ts';
import type { FailureCode } from '../codes.ts';
import { textField, wordsOf } from '../fields.ts';
import { isCertificateCode, isConnectionCode } from './node.ts';

/**
 * SQLSTATE classes and codes, the more exact one first (appendix A of the PostgreSQL manual). What is not here is a
 * fault of ours, not of the database.
 */
const BY_SQLSTATE: readonly (readonly [prefix: string, code: FailureCode])[] = [
  ['40', 'DATABASE_CONFLICT'],
  // An insert that met a row of another run: the next attempt sees it.
  ['55P03', 'DATABASE_CONFLICT'],
  ['23505', 'DATABASE_CONFLICT'],
  ['23503', 'DATABASE_CONFLICT'],
  // A value that does not fit, or breaks a rule of the tables: it does so at every try.
  ['22', 'CONSTRAINT_BROKEN'],
  ['23', 'CONSTRAINT_BROKEN'],
  ['28', 'CREDENTIALS'],
  ['42501', 'CREDENTIALS'],
  ['3D000', 'DATABASE_NOT_MIGRATED'],
  ['3F000', 'DATABASE_NOT_MIGRATED'],
  ['42P01', 'DATABASE_NOT_MIGRATED'],
  ['42703', 'DATABASE_NOT_MIGRATED'],
  ['42704', 'DATABASE_NOT_MIGRATED'],
  ['42883', 'DATABASE_NOT_MIGRATED'],
  ['08', 'DATABASE_UNAVAILABLE'],
  ['25P03', 'DATABASE_UNAVAILABLE'],
  ['25006', 'DATABASE_UNAVAILABLE'],
  ['53', 'DATABASE_UNAVAILABLE'],
  // With 57014, a statement that reached its limit. All are short: the database is overloaded, or somebody locks a table.
  ['57', 'DATABASE_UNAVAILABLE'],
  ['58', 'DATABASE_UNAVAILABLE'],
];

/** Prisma's own codes: https://www.prisma.io/docs/orm/reference/error-reference */
const BY_PRISMA_CODE: ReadonlyMap<string, FailureCode> = new Map([
  ['P1000', 'CREDENTIALS'],
  ['P1001', 'DATABASE_UNAVAILABLE'],
  ['P1002', 'DATABASE_UNAVAILABLE'],
  ['P1003', 'DATABASE_NOT_MIGRATED'],
  ['P1008', 'DATABASE_UNAVAILABLE'],
  ['P1010', 'CREDENTIALS'],
  ['P1011', 'DATABASE_UNAVAILABLE'],
  ['P1017', 'DATABASE_UNAVAILABLE'],
  ['P2000', 'CONSTRAINT_BROKEN'],
  ['P2002', 'DATABASE_CONFLICT'],
  ['P2003', 'DATABASE_CONFLICT'],
  ['P2004', 'CONSTRAINT_BROKEN'],
  ['P2011', 'CONSTRAINT_BROKEN'],
  ['P2020', 'CONSTRAINT_BROKEN'],
  ['P2021', 'DATABASE_NOT_MIGRATED'],
  ['P2022', 'DATABASE_NOT_MIGRATED'],
  ['P2024', 'DATABASE_UNAVAILABLE'],
  ['P2028', 'DATABASE_UNAVAILABLE'],
  ['P2034', 'DATABASE_CONFLICT'],
  ['P2037', 'DATABASE_UNAVAILABLE'],
]);

/** Kinds of Prisma's driver adapters that carry no SQLSTATE. */
const BY_DRIVER_KIND: ReadonlyMap<string, FailureCode> = new Map([
  ['DatabaseNotReachable', 'DATABASE_UNAVAILABLE'],
  ['TlsConnectionError', 'DATABASE_UNAVAILABLE'],
  ['ConnectionClosed', 'DATABASE_UNAVAILABLE'],
  ['SocketTimeout', 'DATABASE_UNAVAILABLE'],
  ['TooManyConnections', 'DATABASE_UNAVAILABLE'],
  ['TransactionWriteConflict', 'DATABASE_CONFLICT'],
  ['LengthMismatch', 'CONSTRAINT_BROKEN'],
  ['ValueOutOfRange', 'CONSTRAINT_BROKEN'],
  ['InvalidInputValue', 'CONSTRAINT_BROKEN'],
  ['NullConstraintViolation', 'CONSTRAINT_BROKEN'],
  ['RestrictViolation', 'CONSTRAINT_BROKEN'],
  ['TransactionAlreadyClosed', 'DATABASE_UNAVAILABLE'],
]);

/** node-postgres has no code for its own connection errors. */
const CONNECTION_TEXT =
  /connection terminated|connection timeout|timeout expired|timeout exceeded|query read timeout|connection ended|client has encountered a connection error|cannot use a pool after calling end|socket/i;

/** An error of Prisma or of the driver, by its name or by the form of its code. A code of Node may have five letters too. */
const DATABASE_CODE = /^(P\d{4}|(?!E[A-Z]{4}$)[0-9A-Z]{5})$/;

interface DatabaseSign {
  readonly code: FailureCode;
  /** SQLSTATE, Prisma code or Node error code; `text` where only the words of the error told. */
  readonly external: string;
}

/** Whether an error was made by Prisma or by the driver, going by itself and not by its causes. */
export function isDatabaseError(error: object): boolean {
  return (textField(error, 'name') ?? '').startsWith('Prisma') || DATABASE_CODE.test(textField(error, 'code') ?? '');
}

/**
 * What Prisma, the driver or the network below them means: away (temporary), lost against another transaction (temporary), not migrated
 * or not allowed (system); null for what is none of these. Looks through the causes, since Prisma wraps the adapter's error and the
 * adapter wraps the driver's.
 */
export function databaseSignOf(error: unknown): DatabaseSign | null {
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  let fallback: DatabaseSign | null = null;
  while (queue.length > 0) {
    const value = queue.shift();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const sign = signOf(value);
    if (sign !== null && isExact(sign)) return sign;
    fallback ??= sign;
    queue.push(field(value, 'cause'), field(value, 'meta'), field(value, 'driverAdapterError'));
    const { errors } = value as { errors?: unknown };
    if (Array.isArray(errors)) queue.push(...(errors as unknown[]));
  }
  return fallback;
}

/** A Prisma code that only says "a raw query failed" or "the transaction is gone" yields to what caused it. */
function isExact(sign: DatabaseSign): boolean {
  return sign.external !== 'P2028' && sign.external !== 'text';
}

function signOf(value: object): DatabaseSign | null {
  for (const name of ['originalCode', 'code', 'kind']) {
    const external = textField(value, name);
    if (external === null) continue;
    if (isRefusedParameter(value, external)) return { code: 'CONFIG_INVALID', external };
    if (isCertificate(value, external)) return { code: 'CERTIFICATE', external };
    const code = BY_PRISMA_CODE.get(external) ?? BY_DRIVER_KIND.get(external) ?? ofSqlState(external);
    if (code !== null) return { code, external };
    // ENOENT: the socket of a server on this host.
    if (isConnectionCode(external) || external === 'ENOENT') return { code: 'DATABASE_UNAVAILABLE', external };
  }
  if (CONNECTION_TEXT.test(textField(value, 'message') ?? '')) {
    return { code: 'DATABASE_UNAVAILABLE', external: 'text' };
  }
  return null;
}

/** A pooler that does not know what the URL asks for answers with a protocol error, which else means a connection that broke. */
function isRefusedParameter(value: object, external: string): boolean {
  const text = `${textField(value, 'message') ?? ''} ${textField(value, 'originalMessage') ?? ''}`;
  return external === '08P01' && /unsupported startup parameter/.test(text);
}

/** Prisma and its adapter keep the words of a certificate's problem, without its code, and call a server without TLS the same. */
function isCertificate(value: object, external: string): boolean {
  if (isCertificateCode(external)) return true;
  const text = textField(value, 'reason') ?? textField(value, 'message') ?? '';
  return (external === 'P1011' || external === 'TlsConnectionError') && !/SSL connection/.test(text);
}

function ofSqlState(code: string): FailureCode | null {
  if (!/^[0-9A-Z]{5}$/.test(code)) return null;
  return BY_SQLSTATE.find(([prefix]) => code.startsWith(prefix))?.[1] ?? null;
}

function field(value: object, name: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[name];
}

const MAX_REASON = 500;

/** In one line: Prisma puts the call site and a code frame before what went wrong. */
export function databaseReason(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is not an error was thrown';
  const inner =
    error instanceof AggregateError ? (error.errors as unknown[]).find((e) => e instanceof Error) : undefined;
  const said = textField(inner instanceof Error ? inner : error, 'message') ?? '';
  const text = said.trim().split('\n').at(-1)?.trim() ?? '';
  return outsideText(text === '' ? wordsOf(error) : text, MAX_REASON);
}

const ADVICE: Partial<Record<FailureCode, string>> = {
  DATABASE_NOT_MIGRATED: '; check DATABASE_URL and DATABASE_SCHEMA, then run `video-worker db migrate`',
  CREDENTIALS: '; check user, password and grants of DATABASE_URL',
  CERTIFICATE:
    '; the certificate of a private authority is trusted with its file as sslrootcert=FILE in DATABASE_URL, or in NODE_EXTRA_CA_CERTS',
  CONFIG_INVALID: '; a pooler stands before the database: take this out of DATABASE_URL, or let the pooler ignore it',
};

/** What an operator can do about it, to stand behind the reason; empty where nothing is to be done. */
export function databaseAdvice(code: FailureCode): string {
  return ADVICE[code] ?? '';
}
