import type { FailureCode } from '../codes.ts';
import { Failure } from '../failure.ts';

/**
 * SQLSTATE classes and codes, the more exact one first (appendix A of the PostgreSQL manual). What is not here is a
 * fault of ours, not of the database: a broken constraint or a value that does not fit.
 */
const BY_SQLSTATE: readonly (readonly [prefix: string, code: FailureCode])[] = [
  ['40', 'DATABASE_CONFLICT'],
  // An insert that met a row of another run: the next attempt sees it.
  ['55P03', 'DATABASE_CONFLICT'],
  ['23505', 'DATABASE_CONFLICT'],
  ['23503', 'DATABASE_CONFLICT'],
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
  ['57', 'DATABASE_UNAVAILABLE'],
  ['58', 'DATABASE_UNAVAILABLE'],
];

/** Prisma's own codes: https://www.prisma.io/docs/orm/reference/error-reference */
const BY_PRISMA_CODE: Readonly<Record<string, FailureCode>> = {
  P1000: 'CREDENTIALS',
  P1001: 'DATABASE_UNAVAILABLE',
  P1002: 'DATABASE_UNAVAILABLE',
  P1003: 'DATABASE_NOT_MIGRATED',
  P1008: 'DATABASE_UNAVAILABLE',
  P1010: 'CREDENTIALS',
  P1011: 'DATABASE_UNAVAILABLE',
  P1017: 'DATABASE_UNAVAILABLE',
  P2002: 'DATABASE_CONFLICT',
  P2003: 'DATABASE_CONFLICT',
  P2021: 'DATABASE_NOT_MIGRATED',
  P2022: 'DATABASE_NOT_MIGRATED',
  P2024: 'DATABASE_UNAVAILABLE',
  P2028: 'DATABASE_UNAVAILABLE',
  P2034: 'DATABASE_CONFLICT',
  P2037: 'DATABASE_UNAVAILABLE',
};

/** Kinds of Prisma's driver adapters that carry no SQLSTATE. */
const BY_DRIVER_KIND: Readonly<Record<string, FailureCode>> = {
  DatabaseNotReachable: 'DATABASE_UNAVAILABLE',
  ConnectionClosed: 'DATABASE_UNAVAILABLE',
  SocketTimeout: 'DATABASE_UNAVAILABLE',
  TlsConnectionError: 'DATABASE_UNAVAILABLE',
  TooManyConnections: 'DATABASE_UNAVAILABLE',
  TransactionWriteConflict: 'DATABASE_CONFLICT',
  TransactionAlreadyClosed: 'DATABASE_UNAVAILABLE',
};

const CONNECTION_CODE =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)$/;
/** node-postgres has no code for its own connection errors. */
const CONNECTION_TEXT =
  /connection terminated|connection timeout|timeout expired|timeout exceeded|query read timeout|connection ended|client has encountered a connection error|cannot use a pool after calling end|socket/i;

interface Sign {
  readonly code: FailureCode;
  /** SQLSTATE, Prisma code or Node error code. */
  readonly external: string;
}

/**
 * Turns whatever Prisma, the driver or the network threw into a failure: away (temporary), lost against another
 * transaction (temporary), not migrated or not allowed (system). `doing` completes "database: could not ...".
 * A `Failure` passes unchanged.
 */
export function toDatabaseFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error;
  const sign = findSign(error);
  const code = sign?.code ?? 'UNKNOWN';
  const details = sign === null ? {} : { external: sign.external };
  return new Failure(code, `database: could not ${doing}: ${describe(error)}${advice(code)}`, {
    cause: error,
    details,
  });
}

function advice(code: FailureCode): string {
  if (code === 'DATABASE_NOT_MIGRATED') {
    return '; check DATABASE_URL and DATABASE_SCHEMA, then run `video-worker db migrate`';
  }
  if (code === 'CREDENTIALS') return '; check user, password and grants of DATABASE_URL';
  return '';
}

/** Looks through the causes, since Prisma wraps the adapter's error and the adapter wraps the driver's. */
function findSign(error: unknown): Sign | null {
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  let fallback: Sign | null = null;
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
function isExact(sign: Sign): boolean {
  return sign.external !== 'P2028' && sign.external !== 'text';
}

function signOf(value: object): Sign | null {
  for (const name of ['originalCode', 'code', 'kind']) {
    const external = field(value, name);
    if (typeof external !== 'string') continue;
    const code = BY_PRISMA_CODE[external] ?? BY_DRIVER_KIND[external] ?? ofSqlState(external);
    if (code !== null) return { code, external };
    if (CONNECTION_CODE.test(external)) return { code: 'DATABASE_UNAVAILABLE', external };
  }
  const message = field(value, 'message');
  if (typeof message === 'string' && CONNECTION_TEXT.test(message)) {
    return { code: 'DATABASE_UNAVAILABLE', external: 'text' };
  }
  return null;
}

function ofSqlState(code: string): FailureCode | null {
  if (!/^[0-9A-Z]{5}$/.test(code)) return null;
  return BY_SQLSTATE.find(([prefix]) => code.startsWith(prefix))?.[1] ?? null;
}

function field(value: object, name: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[name];
}

const MAX_REASON = 500;

/** The last line: Prisma puts the call site and a code frame before what went wrong. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is not an error was thrown';
  const inner =
    error instanceof AggregateError ? (error.errors as unknown[]).find((e) => e instanceof Error) : undefined;
  const text = (inner instanceof Error ? inner.message : error.message).trim().split('\n').at(-1)?.trim() ?? '';
  return (text === '' ? error.name : text).slice(0, MAX_REASON);
}
