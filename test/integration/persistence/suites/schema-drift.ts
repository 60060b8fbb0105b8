import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { Prisma } from '../../../../src/generated/prisma/client.ts';
import { columnName } from '../../../../src/persistence/bulk-insert.ts';
import type { Database } from '../../../../src/persistence/client.ts';
import type { TestDatabases } from '../databases.ts';
import { factsOfDatabase, factsOfPrismaSchema } from '../schema-facts.ts';

const SCHEMA = fileURLToPath(new URL('../../../../prisma/schema.prisma', import.meta.url));

export function schemaDriftSuite(databases: TestDatabases): void {
  let db: Database;
  beforeAll(async () => {
    db = await databases.migrated();
  });

  test('the migrations lead to the very schema that Prisma was generated from', async () => {
    const expected = await factsOfPrismaSchema(SCHEMA);
    expect(expected.length).toBeGreaterThan(120);
    expect(await factsOfDatabase(db)).toEqual(expected);
  });

  test.each([
    ['a renamed column', 'ALTER TABLE "videos" RENAME "etag" TO "e_tag"'],
    ['another type', 'ALTER TABLE "videos" ALTER "progress" TYPE INTEGER'],
    ['another nullability', 'ALTER TABLE "scene_rows" ALTER "text" DROP NOT NULL'],
    ['another default', `ALTER TABLE "videos" ALTER "status" SET DEFAULT 'failed'`],
    ['a missing index', 'DROP INDEX "action_event_rows_type_idx"'],
    ['a missing foreign key', 'ALTER TABLE "scene_rows" DROP CONSTRAINT "scene_rows_run_id_fkey"'],
    ['a table too many', 'CREATE TABLE "stray" ("x" INTEGER)'],
  ])('%s is noticed', async (_, change) => {
    const before = await factsOfDatabase(db);
    const client = await db.pool.connect();
    try {
      await client.query(`BEGIN; SET LOCAL search_path TO "${db.schema}"; ${change}`);
      expect(await factsOfDatabase({ ...db, pool: client as never })).not.toEqual(before);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  test('every model can be read, column by column', async () => {
    const models = Object.keys(Prisma.ModelName);
    expect(models).toHaveLength(9);
    for (const model of models) {
      const delegate = db.prisma[(model.charAt(0).toLowerCase() + model.slice(1)) as 'video'];
      expect(await delegate.findMany()).toEqual([]);
    }
  });

  test('the bulk insert names columns by the rule that the schema follows', async () => {
    const { readFile } = await import('node:fs/promises');
    const mapped = [...(await readFile(SCHEMA, 'utf8')).matchAll(/^ {2}(\w+) .*@map\("(\w+)"\)/gm)];
    expect(mapped.length).toBeGreaterThan(40);
    expect(mapped.map(([, field = '']) => columnName(field))).toEqual(mapped.map(([, , column]) => column));
  });
}
