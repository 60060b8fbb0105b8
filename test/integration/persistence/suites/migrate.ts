import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../../../src/persistence/client.ts';
import { migrateDatabase, migrationStatus, readMigrations } from '../../../../src/persistence/migrate.ts';
import { temporaryFolder, type TemporaryFolder } from '../../../harness/temporary-folder.ts';
import { signal, type TestDatabases } from '../databases.ts';

const OURS = globSync('*/migration.sql', { cwd: 'prisma/migrations' })
  .map((path) => dirname(path))
  .toSorted();
let scratch: TemporaryFolder;
let folders = 0;

/** Writes a folder of migrations in Prisma's layout. */
async function folder(migrations: Readonly<Record<string, string>>): Promise<string> {
  folders += 1;
  const directory = scratch.at(String(folders));
  await mkdir(directory);
  await writeFile(join(directory, 'migration_lock.toml'), 'provider = "postgresql"\n');
  for (const [name, sql] of Object.entries(migrations)) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'migration.sql'), sql);
  }
  return directory;
}

interface Bookkeeping {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
  rolled_back_at: Date | null;
  applied_steps_count: number;
  logs: string | null;
}

async function bookkeeping(db: Database): Promise<Bookkeeping[]> {
  const table = `"${db.schema}"."_prisma_migrations"`;
  return (await db.pool.query<Bookkeeping>(`SELECT * FROM ${table} ORDER BY "started_at"`)).rows;
}

async function tables(db: Database): Promise<string[]> {
  const { rows } = await db.pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1`,
    [db.schema],
  );
  return rows.map((row) => row.name);
}

export function migrateSuite(databases: TestDatabases): void {
  beforeAll(async () => {
    scratch = await temporaryFolder('migrations');
  });
  afterAll(() => scratch.remove());

  test('ids of the backend that were there before their table are in it, each with its newest video', async () => {
    const db = await databases.open({ schema: 'backfilled' });
    const named = new Map((await readMigrations()).map(({ name, sql }) => [name, sql]));
    const before = OURS.slice(0, OURS.indexOf('20261128000000_video_ids'));
    const older = await folder(Object.fromEntries(before.map((name) => [name, named.get(name) ?? ''])));
    await migrateDatabase(db, signal(), older);
    const derived = `object-${'0'.repeat(32)}`;
    for (const [at, id] of ['v1', 'v1', 'v2', derived].entries()) {
      await db.pool.query(
        `INSERT INTO "${db.schema}"."videos" ("identity", "external_id", "bucket", "key", "created_at")
         VALUES ($1, $2, 'b', $3, now() + make_interval(secs => $4))`,
        [String(at).repeat(64), id, `${at}.mp4`, at],
      );
    }
    await migrateDatabase(db, signal());
    const ids = await db.prisma.videoId.findMany({ orderBy: { externalId: 'asc' }, include: { video: true } });
    expect(ids.map(({ externalId, video }) => [externalId, video?.key])).toEqual([
      ['v1', '1.mp4'],
      ['v2', '2.mp4'],
    ]);
  });

  test('an empty database is behind, a migrated one is not, and migrating again does nothing', async () => {
    const db = await databases.open({ schema: 'fresh' });
    expect(OURS[0]).toBe('20261124000000_init');
    expect(await migrationStatus(db, signal())).toMatchObject({ applied: [], pending: OURS, problems: [] });
    expect(await migrateDatabase(db, signal())).toEqual(OURS);
    expect(await migrateDatabase(db, signal())).toEqual([]);
    expect(await migrationStatus(db, signal())).toEqual({ applied: OURS, pending: [], problems: [] });
  });

  test('workers that start together apply every migration once', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => databases.open({ schema: 'together' })));
    const applied = await Promise.all(clients.map((client) => migrateDatabase(client, signal())));
    expect(applied.flat().sort()).toEqual(OURS);
    expect(await bookkeeping(clients[0]!)).toHaveLength(OURS.length);
  });

  test('the bookkeeping is what Prisma writes', async () => {
    const db = await databases.open({ schema: 'books' });
    const sql = 'CREATE TABLE "a" ("x" INTEGER);\n';
    await migrateDatabase(db, signal(), await folder({ '1_a': sql }));
    expect(await bookkeeping(db)).toMatchObject([
      {
        migration_name: '1_a',
        checksum: createHash('sha256').update(sql).digest('hex'),
        finished_at: expect.any(Date),
        rolled_back_at: null,
        applied_steps_count: 1,
        logs: null,
      },
    ]);
  });

  test('migrations run in the order of their names, later ones on top of applied ones', async () => {
    const db = await databases.open({ schema: 'ordered' });
    const first = { '1_a': 'CREATE TABLE "a" ("x" INTEGER);' };
    const second = { '2_b': 'ALTER TABLE "a" RENAME TO "b";', '3_c': 'ALTER TABLE "b" ADD "y" TEXT;' };
    expect(await migrateDatabase(db, signal(), await folder(first))).toEqual(['1_a']);
    expect(await migrateDatabase(db, signal(), await folder({ ...second, ...first }))).toEqual(['2_b', '3_c']);
    expect(await tables(db)).toEqual(['_prisma_migrations', 'b']);
  });

  test('a migration that fails leaves nothing behind, names itself, and can be repaired', async () => {
    const db = await databases.open({ schema: 'broken' });
    const good = { '1_a': 'CREATE TABLE "a" ("x" INTEGER);' };
    const bad = await folder({ ...good, '2_b': 'CREATE TABLE "b" ("x" INTEGER); ALTER TABLE "nobody" ADD "y" TEXT;' });
    await expect(migrateDatabase(db, signal(), bad)).rejects.toMatchObject({
      code: 'DATABASE_NOT_MIGRATED',
      class: 'system',
      message: expect.stringMatching(/2_b.*nobody/) as unknown,
    });
    expect(await tables(db)).toEqual(['_prisma_migrations', 'a']);
    const repaired = await folder({ ...good, '2_b': 'CREATE TABLE "b" ("x" INTEGER);' });
    expect(await migrateDatabase(db, signal(), repaired)).toEqual(['2_b']);
  });

  test('rows that a migration cannot take are a failed migration, not a conflict to try again', async () => {
    const db = await databases.open({ schema: 'rows' });
    const sql =
      'CREATE TABLE "a" ("x" INTEGER); INSERT INTO "a" VALUES (1), (1); CREATE UNIQUE INDEX "u" ON "a" ("x");';
    await expect(migrateDatabase(db, signal(), await folder({ '1_a': sql }))).rejects.toMatchObject({
      code: 'DATABASE_NOT_MIGRATED',
    });
  });

  test('a migration that was edited after it had been applied is refused by name', async () => {
    const db = await databases.open({ schema: 'edited' });
    await migrateDatabase(db, signal(), await folder({ '1_a': 'CREATE TABLE "a" ("x" INTEGER);' }));
    const edited = await folder({ '1_a': 'CREATE TABLE "a" ("x" BIGINT);', '2_b': 'CREATE TABLE "b" ("x" INTEGER);' });
    expect((await migrationStatus(db, signal(), edited)).problems).toEqual([expect.stringMatching(/1_a was edited/)]);
    await expect(migrateDatabase(db, signal(), edited)).rejects.toMatchObject({ code: 'DATABASE_NOT_MIGRATED' });
    expect(await tables(db)).toEqual(['_prisma_migrations', 'a']);
  });

  test('a migration that Prisma began and did not end is refused until it is marked as rolled back', async () => {
    const db = await databases.open({ schema: 'halfway' });
    const directory = await folder({ '1_a': 'CREATE TABLE "a" ("x" INTEGER);', '2_b': 'CREATE TABLE "b" ("x" TEXT);' });
    await migrateDatabase(db, signal(), await folder({ '1_a': 'CREATE TABLE "a" ("x" INTEGER);' }));
    await db.pool.query(
      `INSERT INTO "halfway"."_prisma_migrations" (id, checksum, migration_name, logs)
       VALUES ('x', 'y', '2_b', 'A migration failed to apply.')`,
    );
    expect((await migrationStatus(db, signal(), directory)).problems).toEqual([
      expect.stringMatching(/2_b began and did not end \(A migration failed to apply\.\)/),
    ]);
    await expect(migrateDatabase(db, signal(), directory)).rejects.toMatchObject({ code: 'DATABASE_NOT_MIGRATED' });
    await db.pool.query(`UPDATE "halfway"."_prisma_migrations" SET rolled_back_at = now() WHERE id = 'x'`);
    expect(await migrateDatabase(db, signal(), directory)).toEqual(['2_b']);
  });

  test('a database that is newer than this worker is refused', async () => {
    const db = await databases.open({ schema: 'newer' });
    await migrateDatabase(db, signal(), await folder({ '1_a': 'SELECT 1;', '9_z': 'SELECT 9;' }));
    const status = await migrationStatus(db, signal(), await folder({ '1_a': 'SELECT 1;' }));
    expect(status.problems).toEqual([expect.stringMatching(/9_z.*newer/)]);
  });

  test('a query against a database without tables says what to do', async () => {
    const db = await databases.open({ schema: 'without_tables' });
    const { listVideos } = await import('../../../../src/persistence/read/videos.ts');
    await expect(listVideos(db, {}, signal())).rejects.toMatchObject({
      code: 'DATABASE_NOT_MIGRATED',
      message: expect.stringContaining('video-worker db migrate') as unknown,
    });
  });

  test('a folder without migrations is a broken install', async () => {
    await expect(readMigrations(scratch.at('absent'))).rejects.toMatchObject({ code: 'DATABASE_NOT_MIGRATED' });
  });
}
