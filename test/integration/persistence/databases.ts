import { afterAll, beforeAll, describe } from '@jest/globals';
import { openDatabase, type Database, type DatabaseOptions } from '../../../src/persistence/client.ts';
import { startEmbeddedPostgres } from '../../../src/persistence/embedded/embedded-postgres.ts';
import { derivedVideoId, jobIdentity } from '../../../src/persistence/identity.ts';
import { migrateDatabase } from '../../../src/persistence/migrate.ts';
import { claimRun, type ClaimRequest, type Run } from '../../../src/persistence/claim-run.ts';
import { startPostgres } from '../../harness/postgres.ts';
import { PLAIN_SAMPLING } from '../../harness/plain-sampling.ts';

export const signal = (): AbortSignal => AbortSignal.timeout(180_000);

export interface TestDatabases {
  /** Another client of the same server; closed with the suite. */
  open(options?: Partial<DatabaseOptions>): Promise<Database>;
  /** A client of a migrated schema of its own. */
  migrated(options?: Partial<DatabaseOptions>): Promise<Database>;
}

type Suite = (databases: TestDatabases) => void;

/** Runs suites, by their names, on the embedded PostgreSQL and on a real server, one of each for all of them: to start them takes its time. */
export function onBothDatabases(suites: Readonly<Record<string, Suite>>): void {
  for (const kind of ['embedded', 'server'] as const) {
    describe(`on ${kind === 'embedded' ? 'the embedded PostgreSQL' : 'a PostgreSQL server'}`, () => {
      let url = '';
      const held = new AsyncDisposableStack();
      let schemas = 0;
      beforeAll(async () => {
        if (kind === 'embedded') {
          const embedded = await startEmbeddedPostgres('memory', 0, '.local');
          held.defer(() => embedded.close());
          url = embedded.url;
        } else url = held.use(await startPostgres()).url;
      });
      afterAll(() => held.disposeAsync());
      for (const [name, suite] of Object.entries(suites)) {
        describe(name, () => {
          const opened: Database[] = [];
          afterAll(async () => {
            await Promise.all(opened.map((database) => database.close()));
          });
          const open: TestDatabases['open'] = async (options = {}) => {
            const database = await openDatabase({ url, schema: 'video_worker', ...options });
            opened.push(database);
            return database;
          };
          suite({
            open,
            migrated: async (options = {}) => {
              schemas += 1;
              const database = await open({ schema: `test_${schemas}`, ...options });
              await migrateDatabase(database, signal());
              return database;
            },
          });
        });
      }
    });
  }
}

let objects = 0;

/** A claim for an object that no other test knows. */
export function claimRequest(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  objects += 1;
  const object = changes.object ?? { bucket: 'uploads', key: `v/${objects}.mp4`, versionId: null, etag: `e${objects}` };
  const sampling = PLAIN_SAMPLING;
  const pack = { name: 'demo', fingerprint: 'f'.repeat(64) };
  return {
    identity: jobIdentity({ ...object, packFingerprint: pack.fingerprint, sampling }),
    externalId: derivedVideoId(object),
    object,
    worker: 'worker-a',
    pack,
    sampling,
    aliveSeconds: 60,
    ...changes,
  };
}

/** The run that a claim starts; rejects where it starts none. */
export async function startedRun(db: Database, request: ClaimRequest): Promise<Run> {
  const claim = await claimRun(db, request, signal());
  if (claim.kind !== 'started') throw new Error(`expected a started run, got ${claim.kind}`);
  return claim.run;
}

/** Lets the run's life end now, as if its worker had been silent for long enough. */
export async function expire(db: Database, run: Run): Promise<void> {
  await db.prisma.analysisRun.update({ where: { id: run.runId }, data: { aliveUntil: new Date(0) } });
}

/** Rows that a reader of plain SQL sees of a video, by the name of what is read. */
export async function shownRows(db: Database, videoId: string): Promise<Readonly<Record<string, number>>> {
  const counts = ['person_tracks', 'observations', 'person_overlaps', 'action_events', 'scenes'].map(
    (name) => `(SELECT count(*)::int FROM "${db.schema}"."${name}" WHERE "video_id" = $1) AS "${name}"`,
  );
  const { rows } = await db.pool.query<Record<string, number>>(`SELECT ${counts.join(', ')}`, [videoId]);
  return rows[0] ?? {};
}

export const NO_ROWS = { person_tracks: 0, observations: 0, person_overlaps: 0, action_events: 0, scenes: 0 };
