import { observedReadings } from '../../src/analysis/person-readings.ts';
import { perStage } from '../../src/chain/per-stage.ts';
import type { ObservedDetection, VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import { openDatabase, type Database } from '../../src/persistence/client.ts';
import { jobIdentity } from '../../src/persistence/identity.ts';
import { migrateDatabase } from '../../src/persistence/migrate.ts';
import { claimRun, type Run } from '../../src/persistence/claim-run.ts';
import { completeRun } from '../../src/persistence/complete-run.ts';
import { saveProgress } from '../../src/persistence/save-progress.ts';
import { loadAnalysis } from '../../src/persistence/read/stored-analysis.ts';
import { median } from './figures.ts';
import { PLAIN_SAMPLING } from '../harness/plain-sampling.ts';

export interface PersistenceBench {
  readonly database: 'embedded' | 'server';
  /** Observation rows of one analysis. */
  readonly rows: number;
  /** Median of the rounds. */
  readonly rowsPerSecond: number;
  readonly readRowsPerSecond: number;
  readonly progressUpdatesPerSecond: number;
}

const ROUNDS = 5;
const PROGRESS_UPDATES = 200;

/** Measures how fast a result is written and read; `url` as for the worker, an embedded PostgreSQL when absent. */
export async function benchPersistence(
  options: { readonly url?: string; readonly rows?: number } = {},
): Promise<PersistenceBench> {
  const { url = 'pglite:memory', rows = 10_000 } = options;
  const signal = AbortSignal.timeout(300_000);
  const db = await openDatabase({ url, schema: `bench_${process.pid}` });
  try {
    await migrateDatabase(db, signal);
    const start = async (round: number): Promise<Run> => await startRun(db, String(round), signal);
    const analysis = analysisOf(rows);
    const writes: number[] = [];
    const reads: number[] = [];
    let run = await start(-1);
    await completeRun(db, run, analysis, { highlightsBucket: null }, signal);
    for (let round = 0; round < ROUNDS; round += 1) {
      run = await start(round);
      writes.push(await seconds(() => completeRun(db, run, analysis, { highlightsBucket: null }, signal)));
      reads.push(await seconds(() => loadAnalysis(db, run.videoId, signal)));
    }
    run = await start(ROUNDS);
    const progress = await seconds(async () => {
      for (let i = 0; i < PROGRESS_UPDATES; i += 1) await saveProgress(db, run, { percent: i / 2, stage: 'x' }, signal);
    });
    return {
      database: url.startsWith('pglite:') ? 'embedded' : 'server',
      rows,
      rowsPerSecond: Math.round(rows / median(writes)),
      readRowsPerSecond: Math.round(rows / median(reads)),
      progressUpdatesPerSecond: Math.round(PROGRESS_UPDATES / progress),
    };
  } finally {
    await db.pool.query(`DROP SCHEMA IF EXISTS "${db.schema}" CASCADE`);
    await db.close();
  }
}

/** A run of an object that no other run of the bench knows. */
export async function startRun(db: Database, key: string, signal: AbortSignal): Promise<Run> {
  const object = { bucket: 'bench', key, versionId: null, etag: 'e' };
  const sampling = PLAIN_SAMPLING;
  const pack = { name: 'bench', fingerprint: 'f' };
  const identity = jobIdentity({ ...object, packFingerprint: pack.fingerprint, sampling });
  const request = { identity, externalId: key, object, worker: 'bench', pack, sampling, aliveSeconds: 600 };
  const claim = await claimRun(db, request, signal);
  if (claim.kind !== 'started') throw new Error('the bench lost its own claim');
  return claim.run;
}

/** An analysis with so many boxes, four in a frame, each an object of its own as the real ones are. */
export function analysisOf(rows: number): VideoAnalysis {
  const detection = (x: number): ObservedDetection => ({
    track: 1,
    class: 'person',
    box: [x + 0.25, 200.5, x + 120.125, 500],
    score: 0.9134,
    face: [140, 210, 180, 260],
    age: 34.51,
    ageGroup: 'middle',
    gender: 'female',
    genderScore: 0.97,
    ...observedReadings(null),
    orientation: 90,
    action: 'walking',
    actionScore: 0.83,
    zone: 'left',
  });
  const stage = { runs: 1, items: 1, runMs: 1, totalMs: 1 };
  return {
    version: 1,
    video: {
      width: 1280,
      height: 720,
      frameRate: 30,
      durationSeconds: rows / 6,
      codec: 'h264',
      container: 'mov',
      sizeBytes: 1,
    },
    pack: { name: 'bench', fingerprint: 'f', device: 'cpu' },
    sampling: { framesPerSecond: 1.5, frames: rows / 4, attributes: 'per-track', decode: 'exact' },
    frames: Array.from({ length: rows / 4 }, (_, i) => ({
      index: i * 20,
      t: i / 1.5,
      detections: [0, 200, 400, 600].map(detection),
      overlaps: [],
    })),
    tracks: [
      {
        id: 1,
        startSeconds: 0,
        endSeconds: rows / 6,
        observations: rows,
        age: 34.5,
        ageGroup: 'middle',
        gender: 'female',
        genderScore: 0.97,
        mainAction: 'walking',
      },
    ],
    events: [],
    scenes: [],
    degraded: [],
    timings: {
      totalMs: 1,
      decodeMs: 1,
      stages: perStage(() => stage),
    },
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
