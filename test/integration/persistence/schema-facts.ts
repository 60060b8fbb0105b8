import { readFile } from 'node:fs/promises';
import type { Database } from '../../../src/persistence/client.ts';

/** One sentence for each column, index and foreign key, so that two schemas compare as two sorted lists. */
export type SchemaFacts = readonly string[];

interface Field {
  readonly name: string;
  readonly column: string;
  readonly type: string;
  readonly optional: boolean;
  readonly list: boolean;
  readonly attributes: string;
}

interface Model {
  readonly name: string;
  readonly table: string;
  readonly fields: readonly Field[];
  readonly blockAttributes: readonly string[];
}

const SQL_TYPES: Readonly<Record<string, string>> = {
  String: 'text',
  'String @db.Uuid': 'uuid',
  Boolean: 'bool',
  Int: 'int4',
  'Int @db.SmallInt': 'int2',
  BigInt: 'int8',
  Float: 'float8',
  'DateTime @db.Timestamptz(3)': 'timestamptz(3)',
  'Json @db.JsonB': 'jsonb',
};

/** What the Prisma schema says that the database holds. Throws on a form of the language that it does not know. */
export async function factsOfPrismaSchema(file: string): Promise<SchemaFacts> {
  const models = parseModels(await readFile(file, 'utf8'));
  const byName = new Map(models.map((model) => [model.name, model]));
  return models
    .flatMap((model) => [...columns(model, byName), ...indexes(model), ...foreignKeys(model, byName)])
    .sort();
}

function parseModels(text: string): Model[] {
  return [...text.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => {
    const lines = body.split('\n').map((line) => line.trim());
    const code = lines.filter((line) => line !== '' && !line.startsWith('//'));
    const blockAttributes = code.filter((line) => line.startsWith('@@'));
    const table = /@@map\("(\w+)"\)/.exec(blockAttributes.join('\n'))?.[1] ?? name;
    const fields = code
      .filter((line) => !line.startsWith('@@'))
      .map((line): Field => {
        const parts = /^(\w+)\s+(\w+)(\[\])?(\?)?\s*(.*)$/.exec(line);
        if (parts === null) throw new Error(`cannot read the field "${line}"`);
        const [, field = '', type = '', list, optional, attributes = ''] = parts;
        const column = /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? field;
        return { name: field, column, type, list: list !== undefined, optional: optional !== undefined, attributes };
      });
    return { name, table, fields, blockAttributes };
  });
}

function columns(model: Model, models: ReadonlyMap<string, Model>): string[] {
  return model.fields
    .filter((field) => !models.has(field.type))
    .map((field) => {
      const native = /@db\.\w+(\(\d+\))?/.exec(field.attributes)?.[0];
      const type = SQL_TYPES[native === undefined ? field.type : `${field.type} ${native}`];
      if (type === undefined) throw new Error(`no SQL type is known for ${model.name}.${field.name}`);
      // Prisma's lists are never null to a reader, whatever the column says, and its own migrations leave them nullable.
      const nullable = field.optional || field.list ? 'null' : 'not null';
      return `column ${model.table}.${field.column} ${type}${field.list ? '[]' : ''} ${nullable}${defaultOf(field, type)}`;
    });
}

function defaultOf(field: Field, type: string): string {
  const value = /@default\((.*?)\)(?= @|$| +@)/.exec(field.attributes)?.[1];
  if (value === undefined) return '';
  if (value === 'now()') return ' default CURRENT_TIMESTAMP';
  if (value === 'autoincrement()') return ' default nextval';
  const generated = /^dbgenerated\("(.*)"\)$/.exec(value)?.[1];
  if (generated !== undefined) return ` default ${generated}`;
  const text = /^"(.*)"$/.exec(value)?.[1];
  return ` default ${text === undefined ? value : `'${text}'::${type}`}`;
}

function indexes(model: Model): string[] {
  const columnOf = new Map(model.fields.map((field) => [field.name, field.column]));
  const list = (names: string): string =>
    names
      .split(',')
      .map((text) => {
        const [, name = '', isDescending] = /^\s*(\w+)(\(sort: Desc\))?\s*$/.exec(text) ?? [];
        return `${columnOf.get(name) ?? `?${text}`}${isDescending === undefined ? '' : ' desc'}`;
      })
      .join(', ');
  const single = model.fields.flatMap((field) => {
    if (/@id\b/.test(field.attributes)) return [`index ${model.table}_pkey unique btree (${field.column})`];
    const unique = /@unique\(map: "(\w+)"\)/.exec(field.attributes)?.[1];
    return unique === undefined ? [] : [`index ${unique} unique btree (${field.column})`];
  });
  const block = model.blockAttributes.flatMap((line) => {
    const parts = /^@@(id|unique|index)\(\[([^\]]*)\], map: "(\w+)"(?:, type: (\w+))?\)$/.exec(line);
    if (parts === null) return [];
    const [, kind = '', names = '', name = '', method = 'BTree'] = parts;
    return [`index ${name} ${kind === 'index' ? '' : 'unique '}${method.toLowerCase()} (${list(names)})`];
  });
  return [...single, ...block];
}

const ACTIONS: Readonly<Record<string, string>> = { Cascade: 'CASCADE', SetNull: 'SET NULL' };

function foreignKeys(model: Model, models: ReadonlyMap<string, Model>): string[] {
  return model.fields.flatMap((field) => {
    const parts =
      /@relation\((?:"\w+", )?fields: \[(.*?)\], references: \[(.*?)\], onDelete: (\w+), onUpdate: (\w+), map: "(\w+)"\)/.exec(
        field.attributes,
      );
    const target = models.get(field.type);
    if (parts === null || target === undefined) return [];
    const [, own = '', theirs = '', onDelete = '', onUpdate = '', name = ''] = parts;
    const columnsOf = (of: Model, names: string): string =>
      names
        .split(',')
        .map((n) => of.fields.find((f) => f.name === n.trim())?.column ?? `?${n}`)
        .join(', ');
    return [
      `foreign key ${name} ${model.table} (${columnsOf(model, own)}) -> ${target.table} (${columnsOf(target, theirs)})` +
        ` update ${ACTIONS[onUpdate] ?? onUpdate} delete ${ACTIONS[onDelete] ?? onDelete}`,
    ];
  });
}

/** What the database says, except for views, Prisma's bookkeeping, partial indexes and checks, which Prisma cannot express. */
export async function factsOfDatabase(db: Database): Promise<SchemaFacts> {
  const { rows } = await db.pool.query<{ fact: string }>(
    `SELECT 'column ' || c.relname || '.' || a.attname || ' '
        || replace(replace(replace(replace(replace(replace(replace(format_type(a.atttypid, a.atttypmod),
             'timestamp(3) with time zone', 'timestamptz(3)'), 'double precision', 'float8'), 'smallint', 'int2'),
             'integer', 'int4'), 'bigint', 'int8'), 'character varying', 'varchar'),
             'boolean', 'bool')
        || CASE WHEN a.attnotnull THEN ' not null' ELSE ' null' END
        || CASE WHEN d.adbin IS NULL THEN ''
                WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' THEN ' default nextval'
                ELSE ' default ' || pg_get_expr(d.adbin, d.adrelid) END AS fact
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'
   UNION ALL
     SELECT 'index ' || i.relname || CASE WHEN x.indisunique THEN ' unique ' ELSE ' ' END || m.amname || ' ('
        || (SELECT string_agg(pg_get_indexdef(i.oid, k, true) || CASE WHEN x.indoption[k - 1] & 1 = 1 THEN ' desc' ELSE '' END, ', ' ORDER BY k) FROM generate_series(1, x.indnatts) k) || ')'
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = i.relam
     WHERE n.nspname = $1 AND x.indpred IS NULL AND c.relname <> '_prisma_migrations'
   UNION ALL
     SELECT 'foreign key ' || f.conname || ' ' || c.relname || ' ('
        || (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(attnum, n)
            JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) || ') -> ' || t.relname || ' ('
        || (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k(attnum, n)
            JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) || ') update '
        || CASE f.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE f.confupdtype::text END || ' delete '
        || CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE f.confdeltype::text END
     FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class t ON t.oid = f.confrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND f.contype = 'f'`,
    [db.schema],
  );
  return rows.map((row) => row.fact).sort();
}
