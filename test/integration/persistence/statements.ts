import type { PoolClient } from 'pg';
import type { Database } from '../../../src/persistence/client.ts';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What the database is asked while the work is done: every statement as it is sent, with its values. */
export async function statementsOf(db: Database, work: () => Promise<unknown>): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  const onAcquire = (client: PoolClient): void => {
    const query = client.query.bind(client) as (...args: readonly unknown[]) => unknown;
    const told = (...args: readonly unknown[]): unknown => {
      statements.push(...statementOf(args));
      return query(...args);
    };
    client.query = told as PoolClient['query'];
  };
  const onRelease = (_: unknown, client: PoolClient): void => {
    delete (client as Partial<PoolClient>).query;
  };
  db.pool.on('acquire', onAcquire).on('release', onRelease);
  try {
    await work();
  } finally {
    db.pool.off('acquire', onAcquire).off('release', onRelease);
  }
  return statements.filter(({ text }) => /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text));
}

function statementOf([given, values]: readonly unknown[]): Statement[] {
  const beside = Array.isArray(values) ? (values as readonly unknown[]) : [];
  if (typeof given === 'string') return [{ text: given, values: beside }];
  return isQuery(given) ? [{ text: given.text, values: given.values ?? beside }] : [];
}

function isQuery(value: unknown): value is { readonly text: string; readonly values?: readonly unknown[] } {
  return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string';
}

export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  /** As the planner expects, or as it was where the statement was run; of each loop. */
  readonly rows: number;
  /** Rows that it read and that did not fit; of each loop, known where the statement was run. */
  readonly removed: number;
  readonly loops: number;
}

interface RawNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Plan Rows': number;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly RawNode[];
}

/** The nodes of the plan that the server makes for a statement, all in one list; what only reads is run, and leaves nothing. */
export async function planOf(db: Database, { text, values }: Statement): Promise<readonly PlanNode[]> {
  const analyze = /^\s*(SELECT|WITH)\b/i.test(text) && !/\b(INSERT|UPDATE|DELETE) /i.test(text) ? ', ANALYZE' : '';
  const { rows } = await db.pool.query<{ 'QUERY PLAN': readonly { readonly Plan: RawNode }[] }>(
    `EXPLAIN (FORMAT JSON${analyze}) ${text}`,
    [...values],
  );
  return (rows[0]?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => nodesOf(Plan));
}

function nodesOf(node: RawNode): PlanNode[] {
  const read: PlanNode = {
    'Node Type': node['Node Type'],
    ...(node['Index Name'] === undefined ? {} : { 'Index Name': node['Index Name'] }),
    rows: node['Actual Rows'] ?? node['Plan Rows'],
    removed: node['Rows Removed by Filter'] ?? 0,
    loops: node['Actual Loops'] ?? 1,
  };
  return [read, ...(node.Plans ?? []).flatMap(nodesOf)];
}
