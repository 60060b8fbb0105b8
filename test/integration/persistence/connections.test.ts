import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { claimRun } from '../../../src/persistence/claim-run.ts';
import { openDatabase, type Database } from '../../../src/persistence/client.ts';
import { completeRun } from '../../../src/persistence/complete-run.ts';
import { keepAlive } from '../../../src/persistence/keep-alive.ts';
import { migrateDatabase, migrationStatus } from '../../../src/persistence/migrate.ts';
import { findVideo, listVideos } from '../../../src/persistence/read/videos.ts';
import { loadAnalysis } from '../../../src/persistence/read/stored-analysis.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';
import { makePrivateCertificates } from '../../harness/certificates.ts';
import { createFaultProxy } from '../../harness/fault-proxy.ts';
import { findPgBouncer, startPgBouncer } from '../../harness/pgbouncer.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { claimRequest, signal, startedRun } from './databases.ts';

const pooler = findPgBouncer(process.env['PATH'] ?? '');
const held = new AsyncDisposableStack();
let server: TestPostgres;
let schemas = 0;

beforeAll(async () => {
  server = held.use(await startPostgres({ settings: { timezone: 'Asia/Tokyo' } }));
});
afterAll(async () => {
  await held.disposeAsync();
});

async function migrated(url: string, poolSize = 2): Promise<Database> {
  schemas += 1;
  const db = await openDatabase({ url, schema: `connections_${schemas}`, poolSize, statementTimeoutMs: 20_000 });
  await migrateDatabase(db, signal());
  return db;
}

/** Claims, completes and reads back; every time is that of now, written and read. */
async function storeAndRead(db: Database): Promise<void> {
  const before = Date.now();
  const request = { ...claimRequest(), externalId: 'pooled' };
  const run = await startedRun(db, request);
  const aliveUntil = new Date(Date.now() + 3_600_000);
  await db.prisma.analysisRun.update({ where: { id: run.runId }, data: { aliveUntil } });
  expect((await findVideo(db, 'pooled', signal()))?.run?.aliveUntil).toEqual(aliveUntil);
  const { rows } = await db.pool.query<{ ms: string }>(
    `SELECT round(EXTRACT(EPOCH FROM "alive_until") * 1000) AS ms FROM "${db.schema}"."analysis_runs"`,
  );
  expect(Number(rows[0]?.ms)).toBe(aliveUntil.getTime());
  expect(await keepAlive(db, run, 60, signal())).toBe(true);
  await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
  expect((await loadAnalysis(db, run.videoId, signal()))?.analysis.scenes).toEqual(sampleAnalysis().scenes);
  const video = await findVideo(db, 'pooled', signal());
  for (const time of [video?.createdAt, video?.updatedAt, video?.completedAt, video?.run?.finishedAt]) {
    expect(Math.abs((time?.getTime() ?? 0) - before)).toBeLessThan(600_000);
  }
}

async function limitsOf(db: Database): Promise<Record<string, string | undefined>> {
  const client = await db.pool.connect();
  try {
    const found: Record<string, string | undefined> = {};
    for (const name of [
      'statement_timeout',
      'idle_in_transaction_session_timeout',
      'TimeZone',
      'lock_timeout',
      'work_mem',
    ]) {
      const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [name]);
      found[name] = rows[0]?.value;
    }
    return found;
  } finally {
    client.release();
  }
}

describe('a connection', () => {
  test('has its limits and its zone from its first statement on', async () => {
    await using db = await migrated(server.url);
    expect(await limitsOf(db)).toMatchObject({
      statement_timeout: '20s',
      idle_in_transaction_session_timeout: '20s',
      TimeZone: 'UTC',
    });
    await storeAndRead(db);
  });

  test("keeps what the URL's options ask for, but for what the worker needs", async () => {
    const options = encodeURIComponent('-c timezone=Asia/Tokyo -c work_mem=5MB -c datestyle=German');
    await using db = await migrated(`${server.url}?options=${options}&lock_timeout=7000`);
    expect(await limitsOf(db)).toMatchObject({ TimeZone: 'UTC', work_mem: '5MB', lock_timeout: '7s' });
    await storeAndRead(db);
  });

  test("takes the URL's statement limit where the program sets none", async () => {
    await using db = await openDatabase({ url: `${server.url}?statement_timeout=9000`, schema: 'video_worker' });
    expect(db.statementTimeoutMs).toBe(9_000);
    expect(await limitsOf(db)).toMatchObject({ statement_timeout: '9s' });
  });

  test('that loses its zone on the way writes and reads the same times', async () => {
    await using db = await migrated(server.url, 1);
    await db.pool.query(`SET TIME ZONE 'Asia/Tokyo'`);
    await storeAndRead(db);
    await db.pool.query(`SET TIME ZONE '-05:30'`);
    const [video] = await listVideos(db, {}, signal());
    expect(Math.abs((video?.createdAt.getTime() ?? 0) - Date.now())).toBeLessThan(600_000);
  });

  test('that breaks while it is made ready is an error of the call that wanted it, and the next call has another', async () => {
    await using ready = await migrated(server.url);
    const url = new URL(server.url);
    let breaks = true;
    await using proxy = await createFaultProxy(url.hostname, Number(url.port), (chunk) => {
      // The answer to the statements that make it ready, which nobody hears any more.
      if (breaks && chunk.includes('SET\0')) proxy.cut();
    });
    url.port = String(proxy.port);
    await using db = await openDatabase({ url: url.href, schema: ready.schema });
    for (const call of [() => listVideos(db, {}, signal()), () => migrationStatus(db, signal())]) {
      const accepted = proxy.accepted;
      await expect(call()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', class: 'temporary' });
      expect(proxy.accepted).toBeGreaterThan(accepted);
    }
    breaks = false;
    expect(await listVideos(db, {}, signal())).toEqual([]);
  });

  test.each([
    ['statement_timeout=soon', 'statement_timeout'],
    ['sslrootcert=/nowhere/ca.pem', '/nowhere/ca.pem'],
  ])('that cannot be made with ?%s is a configuration error that says why', async (query, why) => {
    await expect(openDatabase({ url: `${server.url}?${query}`, schema: 'video_worker' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(why) as unknown,
    });
  });
});

if (pooler === null) {
  test.skip('through PgBouncer (it is not installed; scripts/setup --tests installs it)', () => undefined);
} else {
  describe('through PgBouncer', () => {
    test.each([
      ['with its defaults', {}],
      ['in transaction mode, with few connections for many', { pool_mode: 'transaction', default_pool_size: '2' }],
    ])('%s everything is stored and read back at its time', async (_, settings: Record<string, string>) => {
      await using bouncer = await startPgBouncer(pooler, server, settings);
      await using db = await migrated(bouncer.url, 6);
      await storeAndRead(db);
      const claims = await Promise.all(Array.from({ length: 12 }, () => claimRun(db, claimRequest(), signal())));
      expect(claims.every((claim) => claim.kind === 'started')).toBe(true);
    });

    test('in transaction mode the limits hold inside of every transaction', async () => {
      await using bouncer = await startPgBouncer(pooler, server, { pool_mode: 'transaction' });
      await using db = await migrated(bouncer.url);
      await db.pool.query('RESET ALL');
      const request = claimRequest();
      await using own = await openDatabase({ url: server.url, schema: db.schema });
      const claim = await claimRun(own, request, signal());
      expect(claim.kind).toBe('started');
      const locked = await own.pool.connect();
      await locked.query('BEGIN');
      await locked.query(`SELECT 1 FROM "${db.schema}"."videos" FOR UPDATE`);
      await using hasty = await openDatabase({ url: bouncer.url, schema: db.schema, statementTimeoutMs: 500 });
      await expect(claimRun(hasty, request, signal())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      await locked.query('ROLLBACK');
      locked.release();
    });

    test('an option of the URL that it refuses is a configuration error', async () => {
      await using bouncer = await startPgBouncer(pooler, server);
      await using db = await openDatabase({
        url: `${bouncer.url}?options=-c%20work_mem%3D5MB`,
        schema: 'video_worker',
      });
      for (const call of [() => listVideos(db, {}, signal()), () => migrationStatus(db, signal())]) {
        await expect(call()).rejects.toMatchObject({
          code: 'CONFIG_INVALID',
          message: expect.stringContaining('pooler') as unknown,
        });
      }
    });
  });
}

describe('with a private certificate authority in front of it', () => {
  const certificates = makePrivateCertificates();
  let tls: TestPostgres;
  beforeAll(async () => {
    tls = held.use(
      await startPostgres({
        settings: { ssl: 'on' },
        files: { 'server.crt': certificates.certificate, 'server.key': certificates.key },
      }),
    );
  });

  test('a server that is not trusted is a certificate problem with its two ways out', async () => {
    await using db = await openDatabase({ url: `${tls.url}?sslmode=verify-full`, schema: 'video_worker' });
    for (const call of [() => listVideos(db, {}, signal()), () => migrationStatus(db, signal())]) {
      await expect(call()).rejects.toMatchObject({
        code: 'CERTIFICATE',
        class: 'system',
        message: expect.stringMatching(/certificate.*sslrootcert=.*NODE_EXTRA_CA_CERTS/) as unknown,
      });
    }
  });

  test('it is trusted with sslrootcert', async () => {
    await using folder = await temporaryFolder('certificates');
    const file = join(folder.path, 'ca.crt');
    await writeFile(file, certificates.authority);
    await using db = await migrated(`${tls.url}?sslmode=verify-full&sslrootcert=${file}`);
    await storeAndRead(db);
    const { rows } = await db.pool.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    expect(rows).toEqual([{ ssl: true }]);
  });

  test('a name that the certificate does not have is a certificate problem', async () => {
    await using folder = await temporaryFolder('certificates');
    const file = join(folder.path, 'ca.crt');
    await writeFile(file, certificates.authority);
    const url = tls.url.replace('127.0.0.1', 'localhost');
    await using db = await openDatabase({
      url: `${url}?sslmode=verify-full&sslrootcert=${file}`,
      schema: 'video_worker',
    });
    await expect(migrationStatus(db, signal())).rejects.toMatchObject({ code: 'CERTIFICATE' });
    await expect(listVideos(db, {}, signal())).rejects.toMatchObject({ code: 'CERTIFICATE' });
  });
});

test.each(['a"b', 'a; DROP SCHEMA public', "a'", 'A', 'pg_catalog', 'a.b', '', 'a\u0000'])(
  'a schema whose name would have to be quoted is refused before anything is asked (%j)',
  async (schema) => {
    const opened = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', schema });
    await expect(opened).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  },
);
