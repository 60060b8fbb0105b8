import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Failure } from '../../../../src/failure/failure.ts';
import type { VideoAnalysis } from '../../../../src/analysis/video-analysis.ts';
import type { Run } from '../../../../src/persistence/claim-run.ts';
import type { Database } from '../../../../src/persistence/client.ts';
import { completeRun, type Storing } from '../../../../src/persistence/complete-run.ts';
import { discardRows, discardUnseenRows } from '../../../../src/persistence/discard-rows.ts';
import { failRun } from '../../../../src/persistence/end-run.ts';
import { loadAnalysis } from '../../../../src/persistence/read/stored-analysis.ts';
import { CHUNK_LIMITS } from '../../../../src/persistence/row-chunks.ts';
import { countRows } from '../../../../src/persistence/rows.ts';
import { sampleAnalysis, sampleDetection } from '../../../harness/analysis-sample.ts';
import { claimRequest, NO_ROWS, shownRows, signal, type TestDatabases, startedRun, expire } from '../databases.ts';

const PLAIN: Storing = { highlightsBucket: null };
const FRAMES = CHUNK_LIMITS.rows;

/** Several chunks of boxes; `changes` replaces whole fields. */
function longAnalysis(changes: Partial<VideoAnalysis> = {}): VideoAnalysis {
  const frames = Array.from({ length: FRAMES }, (_, i) => ({
    index: i,
    t: i,
    overlaps: [],
    detections: [0, 1, 2].map((x) => sampleDetection({ box: [x, i, x + 1, i + 1] })),
  }));
  return sampleAnalysis({ frames, ...changes });
}

/** Rows of a run in the tables below the views. */
async function storedRows(db: Database, { runId }: Run): Promise<number> {
  const where = { runId };
  const counts = await Promise.all([
    db.prisma.personTrack.count({ where }),
    db.prisma.observation.count({ where }),
    db.prisma.personOverlap.count({ where }),
    db.prisma.actionEvent.count({ where }),
    db.prisma.scene.count({ where }),
  ]);
  return counts.reduce((sum, count) => sum + count);
}

/** Storing that does `intrude` instead of the statement that follows `statements` others. */
function after(statements: number, intrude: () => Promise<unknown>): Storing {
  let done = 0;
  return {
    ...PLAIN,
    retry: async (statement) => {
      if (done === statements) await intrude();
      done += 1;
      return await statement();
    },
  };
}

/** A connection that is lost once after every statement: the server did it, and nobody heard. */
const LOST_ANSWERS: Storing = {
  ...PLAIN,
  retry: async (statement) => {
    await statement();
    return await statement();
  },
};

class Killed extends Error {}
const kill = (): Promise<never> => Promise.reject(new Killed());

export function storingSuite(databases: TestDatabases): void {
  let db: Database;
  let other: Database;
  beforeAll(async () => {
    db = await databases.migrated();
    other = await databases.open({ schema: db.schema });
  });

  describe('a result', () => {
    test('is seen whole at one moment: nothing of it before', async () => {
      const run = await startedRun(db, claimRequest());
      const seen: unknown[] = [];
      const look = async () => seen.push(await shownRows(other, run.videoId), await storedRows(other, run));
      const analysis = longAnalysis();
      await completeRun(db, run, analysis, { ...PLAIN, beforeSwitch: async () => void (await look()) }, signal());
      expect(seen).toEqual([NO_ROWS, countRows(analysis)]);
      expect(await shownRows(other, run.videoId)).toMatchObject({ observations: FRAMES * 3 });
    });

    test('takes the place of the former one at that moment, whose rows are then deleted', async () => {
      const request = claimRequest();
      const former = await startedRun(db, request);
      await completeRun(db, former, sampleAnalysis(), PLAIN, signal());
      const before = await shownRows(db, former.videoId);
      await db.prisma.video.update({ where: { id: former.videoId }, data: { status: 'pending', progress: 0 } });
      const run = await startedRun(db, request);
      const beforeSwitch = async () => expect(await shownRows(other, run.videoId)).toEqual(before);
      await completeRun(db, run, longAnalysis(), { ...PLAIN, beforeSwitch }, signal());
      const shown = await shownRows(other, run.videoId);
      expect(shown).toMatchObject({ observations: FRAMES * 3, person_tracks: 1 });
      expect(await discardUnseenRows(db, run.videoId, signal())).toBe(countRows(sampleAnalysis()));
      expect(await storedRows(db, former)).toBe(0);
      expect(await shownRows(other, run.videoId)).toEqual(shown);
      expect(await discardUnseenRows(db, run.videoId, signal())).toBe(0);
    });

    test('is not shown where the last question before it is answered with no, and is then shown at the next try', async () => {
      const run = await startedRun(db, claimRequest());
      const analysis = longAnalysis();
      await expect(completeRun(db, run, analysis, { ...PLAIN, beforeSwitch: kill }, signal())).rejects.toThrow(Killed);
      expect(await shownRows(other, run.videoId)).toEqual(NO_ROWS);
      await completeRun(db, run, analysis, PLAIN, signal());
      expect(await storedRows(db, run)).toBe(countRows(analysis));
    });

    test('is stored once where every answer of the database is lost once', async () => {
      const run = await startedRun(db, claimRequest());
      const analysis = longAnalysis();
      await completeRun(db, run, analysis, LOST_ANSWERS, signal());
      expect(await storedRows(db, run)).toBe(countRows(analysis));
      expect((await loadAnalysis(db, run.videoId, signal()))?.analysis.frames).toEqual(analysis.frames);
    });

    test('with too many rows is refused for good before the first one is stored, and says what to do', async () => {
      const run = await startedRun(db, claimRequest());
      const analysis = longAnalysis();
      const rows = countRows(analysis);
      const failure: unknown = await completeRun(db, run, analysis, { ...PLAIN, maxRows: rows - 1 }, signal()).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({
        code: 'RESULT_TOO_LARGE',
        class: 'permanent',
        details: { rows, maxRows: rows - 1 },
        message: expect.stringMatching(/SAMPLE_FPS.*MAX_RESULT_ROWS/) as unknown,
      });
      expect(await storedRows(db, run)).toBe(0);
      await completeRun(db, run, analysis, { ...PLAIN, maxRows: rows }, signal());
    });
  });

  describe('a run that ends in the middle of its rows', () => {
    test('superseded: it stores no more, shows nothing, and its rows go; the heir shows exactly its own', async () => {
      const request = claimRequest();
      const old = await startedRun(db, request);
      let heir: Run | undefined;
      const takeOver = async () => {
        await expire(db, old);
        heir = await startedRun(other, request);
      };
      await expect(completeRun(db, old, longAnalysis(), after(3, takeOver), signal())).rejects.toMatchObject({
        code: 'RUN_SUPERSEDED',
      });
      if (heir === undefined) throw new Error('nobody took over');
      expect(await storedRows(db, old)).toBe(1 + CHUNK_LIMITS.rows);
      const analysis = longAnalysis({ scenes: [] });
      await completeRun(other, heir, analysis, PLAIN, signal());
      expect((await loadAnalysis(db, heir.videoId, signal()))?.analysis.frames).toEqual(analysis.frames);
      expect(await discardUnseenRows(db, null, signal())).toBe(1 + CHUNK_LIMITS.rows);
      expect(await storedRows(db, old)).toBe(0);
      expect(await storedRows(db, heir)).toBe(countRows(analysis));
    });

    test('killed: its rows stay while it counts as alive, and go when another run has ended it', async () => {
      const request = claimRequest();
      const dead = await startedRun(db, request);
      await expect(completeRun(db, dead, longAnalysis(), after(3, kill), signal())).rejects.toThrow(Killed);
      expect(await discardRows(db, dead.runId, signal())).toBe(0);
      await expire(db, dead);
      const heir = await startedRun(other, request);
      const analysis = longAnalysis();
      await completeRun(other, heir, analysis, PLAIN, signal());
      expect(await discardUnseenRows(other, heir.videoId, signal())).toBe(1 + CHUNK_LIMITS.rows);
      expect(await shownRows(db, heir.videoId)).toMatchObject({ observations: FRAMES * 3, person_tracks: 1 });
    });

    test('stopped: the reason comes out as it is, and no chunk follows', async () => {
      const run = await startedRun(db, claimRequest());
      const stop = new AbortController();
      const lost = new Killed();
      const storing = after(3, () => {
        stop.abort(lost);
        return Promise.resolve();
      });
      await expect(completeRun(db, run, longAnalysis(), storing, stop.signal)).rejects.toBe(lost);
      expect(await storedRows(db, run)).toBe(1 + CHUNK_LIMITS.rows);
    });

    test('deleted with its video: nothing of it stays', async () => {
      const run = await startedRun(db, claimRequest());
      const remove = () => other.prisma.video.delete({ where: { id: run.videoId } });
      await expect(completeRun(db, run, longAnalysis(), after(3, remove), signal())).rejects.toMatchObject({
        code: 'RUN_SUPERSEDED',
      });
      expect(await storedRows(db, run)).toBe(0);
    });
  });

  describe('rows that the database refuses', () => {
    const brokenBox = [{ index: 0, t: 0, overlaps: [], detections: [sampleDetection({ box: [10, 10, 5, 5] })] }];
    const tooLarge = [{ index: 3e9, t: 0, overlaps: [], detections: [sampleDetection()] }];
    const twice = sampleAnalysis().tracks.flatMap((track) => [track, track]);

    test.each<[string, Partial<VideoAnalysis>, Record<string, unknown>]>([
      ['a check', { frames: brokenBox }, { external: '23514', constraint: 'observations_box_check' }],
      ['the range of a number', { frames: tooLarge }, { external: '22003' }],
      ['a key of the run itself', { tracks: twice }, { external: '23505', constraint: 'person_track_rows_pkey' }],
    ])('by %s are a permanent failure that names the rule', async (_, changes, details) => {
      const run = await startedRun(db, claimRequest());
      const failure: unknown = await completeRun(db, run, sampleAnalysis(changes), PLAIN, signal()).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: 'CONSTRAINT_BROKEN', class: 'permanent', details });
      await failRun(db, run, { failure: failure as Failure, isFinal: true }, signal());
      await discardUnseenRows(db, run.videoId, signal());
      expect(await storedRows(db, run)).toBe(0);
    });
  });
}
