import { connect } from 'node:net';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Pool } from 'pg';
import { openDatabase } from '../../../../src/persistence/client.ts';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../../../src/persistence/embedded/embedded-postgres.ts';
import { migrateDatabase, migrationStatus } from '../../../../src/persistence/migrate.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';
import { signal } from '../databases.ts';

describe('several connections on the one session', () => {
  let embedded: EmbeddedPostgres;
  let pool: Pool;
  beforeAll(async () => {
    embedded = await startEmbeddedPostgres('memory', 0, '.local');
    pool = new Pool({ connectionString: embedded.url, max: 4 });
    await pool.query('CREATE TABLE t (a INTEGER PRIMARY KEY)');
  });
  afterAll(async () => {
    await pool.end();
    await embedded.close();
  });

  async function client(): Promise<Client> {
    const connection = new Client({ connectionString: embedded.url });
    await connection.connect();
    return connection;
  }

  test('queries of different connections do not mix their parameters', async () => {
    const sums = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const { rows } = await pool.query<{ sum: number }>('SELECT $1::int + $2::int AS sum', [i, 1_000]);
        return rows[0]?.sum;
      }),
    );
    expect(sums).toEqual(Array.from({ length: 60 }, (_, i) => i + 1_000));
  });

  test('a transaction is alone: another connection waits for its end', async () => {
    const [writer, reader] = await Promise.all([client(), client()]);
    const order: string[] = [];
    await writer.query('BEGIN');
    await writer.query('INSERT INTO t VALUES (1)');
    const read = reader.query('SELECT count(*)::int AS n FROM t WHERE a = 1').then((result) => {
      order.push('read');
      return result.rows as { n: number }[];
    });
    await writer.query('SELECT 1');
    order.push('commit');
    await writer.query('COMMIT');
    expect(await read).toEqual([{ n: 1 }]);
    expect(order).toEqual(['commit', 'read']);
    await Promise.all([writer.end(), reader.end()]);
  });

  test('a client that vanishes inside a transaction is rolled back and holds nobody up', async () => {
    const socket = connect(embedded.port, '127.0.0.1');
    await once(socket, 'connect');
    const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0x\0\0', 'latin1');
    startup.writeInt32BE(startup.length, 0);
    const sql = Buffer.from('Q\0\0\0\0BEGIN; INSERT INTO t VALUES (2)\0', 'latin1');
    sql.writeInt32BE(sql.length - 1, 1);
    socket.write(Buffer.concat([startup, sql]));
    let answer = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      answer += chunk.toString('latin1');
      if (answer.includes('Z\0\0\0\x05T')) break;
    }
    socket.destroy();
    expect((await pool.query('SELECT 1 FROM t WHERE a = 2')).rows).toEqual([]);
  });

  test('after an error the connection and the others go on', async () => {
    const connection = await client();
    await expect(connection.query('SELECT $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
    await connection.query('BEGIN');
    await expect(connection.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await expect(connection.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
    await connection.query('ROLLBACK');
    expect((await connection.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await connection.end();
  });

  test('nonsense on the port ends that connection only', async () => {
    const socket = connect(embedded.port, '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('a port that is taken is an error that says so', async () => {
    await expect(startEmbeddedPostgres('memory', embedded.port, '.local')).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

test('whoever only looks sees an empty database where there is none, and makes none', async () => {
  await using scratch = await temporaryFolder('embedded');
  const url = `pglite:${scratch.at('deep', 'data')}`;
  await using absent = await openDatabase({ url, schema: 'video_worker', onlyLooks: true });
  expect((await migrationStatus(absent, signal())).applied).toEqual([]);
  expect(await readdir(scratch.path)).toEqual([]);
});

test('a folder that did not exist has one owner at a time, and keeps the data for the next, also for one that only looks', async () => {
  await using scratch = await temporaryFolder('embedded');
  const folder = scratch.at('deep', 'data');
  const options = { url: `pglite:${folder}`, schema: 'video_worker' };
  {
    await using first = await openDatabase(options);
    await migrateDatabase(first, signal());
    await first.prisma.scene.count();
    await expect(startEmbeddedPostgres(folder)).rejects.toThrow(/in use/);
  }
  await using second = await openDatabase({ ...options, onlyLooks: true });
  expect((await migrationStatus(second, signal())).pending).toEqual([]);
});
