import { accessSync, constants } from 'node:fs';
import { Failure } from '../failure/failure.ts';

/** Limits that a database URL may ask for, in milliseconds; null where it asks for none. */
export interface UrlLimits {
  readonly statementMs: number | null;
  readonly lockMs: number | null;
  readonly idleInTransactionMs: number | null;
}

export interface ConnectionUrl {
  /** For the driver: without what is set after connecting, and without what is not its business. */
  readonly href: string;
  readonly limits: UrlLimits;
}

/**
 * Takes a database URL apart. The driver would send its limits with the startup of a connection, which poolers refuse: they are taken out, to
 * be set afterwards. Throws `Failure('CONFIG_INVALID')` on what cannot be, and never repeats the URL: it holds a password.
 */
export function connectionUrl(text: string): ConnectionUrl {
  const url = URL.parse(text);
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new Failure(
      'CONFIG_INVALID',
      'the database URL is not valid: expected postgres://user@host:port/name or pglite:DIR',
    );
  }
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) checkFile(name, url.searchParams.get(name));
  // Prisma's parameter, which is ours to set.
  url.searchParams.delete('schema');
  const limits = {
    statementMs: takeLimit(url, 'statement_timeout'),
    lockMs: takeLimit(url, 'lock_timeout'),
    idleInTransactionMs: takeLimit(url, 'idle_in_transaction_session_timeout'),
  };
  return { href: url.href, limits };
}

/** Zero asks for no limit, and the worker keeps its own. */
function takeLimit(url: URL, name: string): number | null {
  const text = url.searchParams.get(name);
  url.searchParams.delete(name);
  if (text === null) return null;
  if (!/^\d{1,9}$/.test(text)) {
    throw new Failure('CONFIG_INVALID', `${name} of the database URL is not a number of milliseconds`);
  }
  return Number(text) === 0 ? null : Number(text);
}

function checkFile(name: string, file: string | null): void {
  if (file === null || file === '') return;
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `${name} of the database URL cannot be read: ${file}`, { cause: error });
  }
}
