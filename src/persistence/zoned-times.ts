import { PrismaPg } from '@prisma/adapter-pg';
import { types, type PoolClient } from 'pg';

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;
type Query = Parameters<Adapter['queryRaw']>[0];
type Queryable = Pick<Adapter, 'queryRaw' | 'executeRaw'>;

interface TypeParsers {
  getTypeParser(oid: number, format?: string): unknown;
}

const TIMESTAMPTZ: number = types.builtins.TIMESTAMPTZ;

/**
 * Prisma's adapter with times that mean the same in every session. The original drops the offset of what it reads and sends times without one,
 * so that both are right only in a session whose zone is UTC; a pooler may hand out one that is not.
 */
export class ZonedPrismaPg extends PrismaPg {
  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    sendZones(adapter);
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (level) => {
      const transaction = await startTransaction(level);
      sendZones(transaction);
      return transaction;
    };
    return adapter;
  }
}

function sendZones(queryable: Queryable): void {
  const queryRaw = queryable.queryRaw.bind(queryable);
  const executeRaw = queryable.executeRaw.bind(queryable);
  queryable.queryRaw = async (query) => await queryRaw(withZones(query));
  queryable.executeRaw = async (query) => await executeRaw(withZones(query));
}

/** As text with an offset; the adapter leaves text as it is. */
function withZones(query: Query): Query {
  if (!query.args.some(isTime) && !query.argTypes.some((type) => type.scalarType === 'datetime')) return query;
  const isZoned = query.args.map((arg, at) => {
    const type = query.argTypes[at];
    if (type?.arity === 'list' || ['DATE', 'TIME', 'TIMETZ'].includes(type?.dbType ?? '')) return false;
    return isTime(arg) || (typeof arg === 'string' && type?.scalarType === 'datetime');
  });
  return {
    ...query,
    args: query.args.map((arg, at) => (isZoned[at] === true ? new Date(arg as Date | string).toISOString() : arg)),
    argTypes: query.argTypes.map((type, at) =>
      isZoned[at] === true ? { arity: 'scalar', scalarType: 'string' } : type,
    ),
  };
}

function isTime(arg: unknown): boolean {
  return arg instanceof Date;
}

/** Lets the adapter's queries on a connection read times with the offset that the session gives them. */
export function readZones(client: PoolClient): void {
  const query = client.query.bind(client) as (config: unknown, ...rest: unknown[]) => unknown;
  client.query = ((config: unknown, ...rest: unknown[]) => query(withParsers(config), ...rest)) as typeof client.query;
}

function withParsers(config: unknown): unknown {
  const given = (config as { readonly types?: TypeParsers } | null | undefined)?.types;
  if (given === undefined) return config;
  const getTypeParser = (oid: number, format?: string): unknown =>
    oid === TIMESTAMPTZ && format === 'text' ? instant : given.getTypeParser(oid, format);
  return { ...(config as object), types: { getTypeParser } };
}

const parseInstant = types.getTypeParser(types.builtins.TIMESTAMPTZ) as (text: string) => unknown;

/** Infinity has no other form. */
function instant(text: string): string {
  const time = parseInstant(text);
  return time instanceof Date ? time.toISOString() : text;
}
