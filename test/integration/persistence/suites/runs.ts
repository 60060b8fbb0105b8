import { beforeAll, describe, expect, test } from '@jest/globals';
import { Failure, Interruption } from '../../../../src/failure/failure.ts';
import type { Database } from '../../../../src/persistence/client.ts';
import { claimRun, type ClaimRequest, type Run } from '../../../../src/persistence/claim-run.ts';
import { completeRun } from '../../../../src/persistence/complete-run.ts';
import { failRun, interruptRun } from '../../../../src/persistence/end-run.ts';
import { keepAlive } from '../../../../src/persistence/keep-alive.ts';
import { saveProgress } from '../../../../src/persistence/save-progress.ts';
import { recordRejection } from '../../../../src/persistence/record-rejection.ts';
import { loadAnalysis } from '../../../../src/persistence/read/stored-analysis.ts';
import { findVideo, listVideos } from '../../../../src/persistence/read/videos.ts';
import { NO_IMAGES } from '../../../../src/report/images.ts';
import { renderReport } from '../../../../src/report/report.ts';
import { sampleAnalysis, sampleDetection } from '../../../harness/analysis-sample.ts';
import { atDepth } from '../../../harness/depth.ts';
import { claimRequest, NO_ROWS, shownRows, signal, type TestDatabases, startedRun, expire } from '../databases.ts';

async function outcomes(db: Database, run: Run): Promise<string[]> {
  const rows = await db.prisma.analysisRun.findMany({
    where: { videoId: run.videoId },
    orderBy: { fencingToken: 'asc' },
  });
  return rows.map((row) => row.outcome);
}

export function runsSuite(databases: TestDatabases): void {
  let db: Database;
  let other: Database;
  beforeAll(async () => {
    db = await databases.migrated();
    other = await databases.open({ schema: db.schema });
  });

  describe('claiming', () => {
    test('the first claim starts, a second one is told who is on it and for how long', async () => {
      const request = claimRequest();
      const run = await startedRun(db, request);
      expect(run).toMatchObject({ attempt: 1, token: 1, externalId: request.externalId });
      const second = await claimRun(other, { ...request, worker: 'worker-b' }, signal());
      expect(second).toMatchObject({ kind: 'running', worker: 'worker-a' });
      if (second.kind !== 'running') throw new Error('unreachable');
      expect(second.retryAfterSeconds).toBeGreaterThan(1);
      expect(second.retryAfterSeconds).toBeLessThanOrEqual(60);
    });

    test('of many claims at once exactly one starts', async () => {
      const request = claimRequest();
      const claims = await Promise.all(
        [db, other, db, other, db, other].map((client, i) =>
          claimRun(client, { ...request, worker: `worker-${i}` }, signal()),
        ),
      );
      expect(claims.filter((claim) => claim.kind === 'started')).toHaveLength(1);
      expect(claims.filter((claim) => claim.kind === 'running')).toHaveLength(5);
      expect(await db.prisma.video.count({ where: { identity: request.identity } })).toBe(1);
    });

    test('a finished job is recognised, whatever message asks for it', async () => {
      const request = claimRequest();
      const run = await startedRun(db, request);
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      expect(await claimRun(other, request, signal())).toEqual({
        kind: 'completed',
        videoId: run.videoId,
        externalId: run.externalId,
      });
      expect(await outcomes(db, run)).toEqual(['completed']);
    });

    test('a derived id gives way to the id of the backend, and never the other way round', async () => {
      const request = claimRequest();
      const run = await startedRun(db, request);
      await claimRun(other, { ...request, externalId: '4711' }, signal());
      await claimRun(other, request, signal());
      expect((await findVideo(db, '4711', signal()))?.videoId).toBe(run.videoId);
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      expect(await claimRun(db, request, signal())).toMatchObject({ kind: 'completed', externalId: '4711' });
    });

    test('a run without a sign of life is taken over, and its worker is told at its next one', async () => {
      const request = claimRequest();
      const dead = await startedRun(db, request);
      await expire(db, dead);
      const heir = await startedRun(other, { ...request, worker: 'worker-b' });
      expect(heir).toMatchObject({ attempt: 2, token: 2, videoId: dead.videoId });
      expect(await outcomes(db, dead)).toEqual(['superseded', 'running']);
      expect(await keepAlive(db, dead, 60, signal())).toBe(false);
      expect(await saveProgress(db, dead, { percent: 50, stage: 'analysis' }, signal())).toBe(false);
      expect(await keepAlive(other, heir, 60, signal())).toBe(true);
    });

    test('a sign of life in time keeps the run', async () => {
      const request = claimRequest();
      const run = await startedRun(db, request);
      await expire(db, run);
      expect(await keepAlive(db, run, 60, signal())).toBe(true);
      expect((await claimRun(other, request, signal())).kind).toBe('running');
    });
  });

  describe('completing', () => {
    test('what was analysed can be read back', async () => {
      const hole = { stage: 'decode', code: 'FOOTAGE_MISSING', message: 'no frame came', fromSeconds: 1.25 } as const;
      const degraded = [
        { ...hole, toSeconds: 2 },
        { ...hole, toSeconds: null },
        { stage: 'scene', code: 'THROTTLED', message: 'slow down' },
      ] as const;
      const analysis = sampleAnalysis({ degraded });
      const run = await startedRun(db, claimRequest());
      await completeRun(db, run, analysis, { highlightsBucket: 'highlights' }, signal());
      const stored = await loadAnalysis(other, run.videoId, signal());
      expect(stored?.highlightsBucket).toBe('highlights');
      expect(stored?.analysis).toEqual({
        ...analysis,
        pack: { ...analysis.pack, name: 'demo', fingerprint: 'f'.repeat(64) },
        frames: analysis.frames.filter((frame) => frame.detections.length > 0 || frame.overlaps.length > 0),
        events: analysis.events.map((event) => ({
          ...event,
          highlight: event.highlight === null ? null : { ...event.highlight, file: '' },
        })),
      });
      expect(await findVideo(db, run.videoId, signal())).toMatchObject({
        status: 'completed',
        progress: 100,
        durationSeconds: analysis.video.durationSeconds,
        run: { degraded },
      });
    });

    test('how it was decoded is kept: as it was asked for while it runs, and as it was done in the end', async () => {
      const sampling = {
        framesPerSecond: 1.5,
        attributes: 'per-track',
        decode: 'fast',
        stillPictures: 'analyse',
      } as const;
      const fast = await startedRun(db, claimRequest({ sampling }));
      const { decode } = await db.prisma.analysisRun.findUniqueOrThrow({ where: { id: fast.runId } });
      expect(decode).toBe('fast');
      const sample = sampleAnalysis();
      const analysis = { ...sample, sampling: { ...sample.sampling, decode: 'fast' } } as const;
      await completeRun(db, fast, analysis, { highlightsBucket: null }, signal());
      const stored = (await loadAnalysis(other, fast.videoId, signal()))!.analysis;
      expect(stored.sampling.decode).toBe('fast');
      expect(renderReport(stored, NO_IMAGES, { title: 'fast' })).toContain('decoded fast');
      const whole = await startedRun(db, claimRequest({ sampling }));
      await completeRun(db, whole, sample, { highlightsBucket: null }, signal());
      expect((await loadAnalysis(other, whole.videoId, signal()))!.analysis.sampling.decode).toBe('exact');
    });

    test('what was left out of purpose is kept: still pictures, and actions between two readings', async () => {
      const sample = sampleAnalysis();
      const sampling = { ...sample.sampling, stillPictures: 'reuse', actionEvery: { seconds: 2 } } as const;
      const run = await startedRun(db, claimRequest());
      await completeRun(db, run, { ...sample, sampling }, { highlightsBucket: null }, signal());
      const stored = (await loadAnalysis(other, run.videoId, signal()))!.analysis;
      expect(stored.sampling).toEqual(sampling);
      expect(stored.timings).toEqual(sample.timings);
      expect(renderReport(stored, NO_IMAGES, { title: 'still' })).toContain('still pictures taken over');
    });

    test('what the scene texts cost is kept, and the report from the database tells it', async () => {
      const sceneCost = { calls: 3, inputTokens: 4_200, outputTokens: 180, usd: 0.0129 };
      const paid = await startedRun(db, claimRequest());
      await completeRun(db, paid, sampleAnalysis({ sceneCost }), { highlightsBucket: null }, signal());
      const stored = (await loadAnalysis(other, paid.videoId, signal()))!.analysis;
      expect(stored.sceneCost).toEqual(sceneCost);
      expect(renderReport(stored, NO_IMAGES, { title: 'paid' })).toContain('<dt>Scene cost</dt><dd>$0.0129</dd>');
      const free = await startedRun(db, claimRequest());
      await completeRun(db, free, sampleAnalysis(), { highlightsBucket: null }, signal());
      expect((await loadAnalysis(other, free.videoId, signal()))!.analysis).not.toHaveProperty('sceneCost');
    });

    test('an older run cannot overwrite: not while the newer one works, not after it finished', async () => {
      const request = claimRequest();
      const old = await startedRun(db, request);
      await expire(db, old);
      const heir = await startedRun(other, request);
      await expect(completeRun(db, old, sampleAnalysis(), { highlightsBucket: null }, signal())).rejects.toMatchObject({
        code: 'RUN_SUPERSEDED',
      });
      await completeRun(other, heir, sampleAnalysis({ scenes: [] }), { highlightsBucket: null }, signal());
      await expect(completeRun(db, old, sampleAnalysis(), { highlightsBucket: null }, signal())).rejects.toMatchObject({
        code: 'RUN_SUPERSEDED',
      });
      expect((await loadAnalysis(db, heir.videoId, signal()))?.analysis.scenes).toEqual([]);
      expect(await outcomes(db, old)).toEqual(['superseded', 'completed']);
    });

    test('a commit whose answer was lost may be repeated', async () => {
      const run = await startedRun(db, claimRequest());
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      const before = await shownRows(db, run.videoId);
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      expect(await shownRows(db, run.videoId)).toEqual(before);
    });

    test('a result that breaks a rule of the tables shows nothing of itself', async () => {
      const run = await startedRun(db, claimRequest());
      const frames = [{ index: 0, t: 0, overlaps: [], detections: [sampleDetection({ box: [10, 10, 5, 5] })] }];
      await expect(
        completeRun(db, run, sampleAnalysis({ frames }), { highlightsBucket: null }, signal()),
      ).rejects.toBeInstanceOf(Failure);
      expect(await shownRows(db, run.videoId)).toEqual(NO_ROWS);
      expect(await outcomes(db, run)).toEqual(['running']);
    });

    test('rows of an earlier result are replaced, not added to', async () => {
      const run = await startedRun(db, claimRequest());
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      await db.prisma.video.update({ where: { id: run.videoId }, data: { status: 'pending', progress: 0 } });
      const again = await startedRun(db, claimRequestOf(await findVideo(db, run.videoId, signal())));
      await completeRun(db, again, sampleAnalysis(), { highlightsBucket: null }, signal());
      const analysis = sampleAnalysis();
      expect(await shownRows(db, run.videoId)).toMatchObject({
        person_tracks: analysis.tracks.length,
        scenes: analysis.scenes.length,
        action_events: analysis.events.length,
      });
    });

    test('many observations are stored, in order', async () => {
      const run = await startedRun(db, claimRequest());
      const frames = Array.from({ length: atDepth(500, 2_500) }, (_, i) => ({
        index: i * 20,
        t: i / 1.5,
        overlaps: [],
        detections: Array.from({ length: 4 }, (_, j) => sampleDetection({ box: [j, i, j + 1, i + 1] })),
      }));
      await completeRun(db, run, sampleAnalysis({ frames }), { highlightsBucket: null }, signal());
      const stored = await loadAnalysis(db, run.videoId, signal());
      expect(stored?.analysis.frames).toEqual(frames);
    });

    test('an interruption before the switch shows nothing and comes out as it is', async () => {
      const run = await startedRun(db, claimRequest());
      const lost = new Interruption('lease-lost', 'the lease is gone');
      await expect(
        completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, AbortSignal.abort(lost)),
      ).rejects.toBe(lost);
      const during = new AbortController();
      const completing = completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, during.signal);
      during.abort(lost);
      await expect(completing).rejects.toBe(lost);
      await expire(db, run);
      await startedRun(db, claimRequestOf(await findVideo(db, run.videoId, signal())));
      expect(await shownRows(db, run.videoId)).toEqual(NO_ROWS);
    });
  });

  describe('progress', () => {
    test('is seen by another client while the run works, and reaches 100 only at the end', async () => {
      const run = await startedRun(db, claimRequest());
      expect(await saveProgress(db, run, { percent: 41.9, stage: 'analysis' }, signal())).toBe(true);
      expect(await findVideo(other, run.externalId, signal())).toMatchObject({
        status: 'processing',
        progress: 41,
        stage: 'analysis',
        run: { worker: 'worker-a', outcome: 'running', attempt: 1 },
      });
      expect(await saveProgress(db, run, { percent: 100, stage: 'store' }, signal())).toBe(true);
      expect(await findVideo(other, run.externalId, signal())).toMatchObject({ progress: 99 });
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      expect(await saveProgress(db, run, { percent: 5, stage: 'late' }, signal())).toBe(false);
      expect(await findVideo(other, run.externalId, signal())).toMatchObject({ progress: 100, stage: null });
    });
  });

  describe('failing', () => {
    const cannotRead = new Failure('NOT_A_VIDEO', 'moov atom\0 not found', { stage: 'probe', details: { bytes: 12 } });

    test('a permanent failure fails the video and is recorded once, with the same words in both places', async () => {
      const asked = claimRequest();
      const message = {
        messageId: `message-${asked.externalId}`,
        object: asked.object,
        receiveCount: 1,
        isLastReceive: false,
        leaseSeconds: 60,
      };
      const request = { ...asked, message };
      const run = await startedRun(db, request);
      await failRun(db, run, { failure: cannotRead, isFinal: true }, signal());
      await failRun(db, run, { failure: cannotRead, isFinal: true }, signal());
      const video = await findVideo(db, run.externalId, signal());
      expect(video).toMatchObject({ status: 'failed', failureCode: 'NOT_A_VIDEO', run: { outcome: 'failed' } });
      expect(video?.run?.failureReason).toBe('moov atom not found');
      const events = await db.prisma.errorEvent.findMany({ where: { runId: run.runId } });
      expect(events).toMatchObject([
        {
          code: 'NOT_A_VIDEO',
          class: 'permanent',
          reason: 'moov atom not found',
          stage: 'probe',
          key: request.object.key,
          messageId: message.messageId,
          details: { stage: 'probe', bytes: 12 },
        },
      ]);
    });

    test('a temporary failure lets the video wait; the next claim counts a second attempt', async () => {
      const request = claimRequest();
      const run = await startedRun(db, request);
      await failRun(db, run, { failure: new Failure('NETWORK', 'reset'), isFinal: false }, signal());
      expect(await findVideo(db, run.externalId, signal())).toMatchObject({
        status: 'pending',
        failureCode: 'NETWORK',
      });
      const next = await startedRun(other, request);
      expect(next).toMatchObject({ attempt: 2, token: 2 });
      expect(await findVideo(db, run.externalId, signal())).toMatchObject({ status: 'processing', failureCode: null });
    });

    test('a temporary failure that ends its message for good fails the video', async () => {
      const run = await startedRun(db, claimRequest());
      await failRun(db, run, { failure: new Failure('NETWORK', 'reset'), isFinal: true }, signal());
      expect(await findVideo(db, run.externalId, signal())).toMatchObject({ status: 'failed', failureCode: 'NETWORK' });
    });

    test('an interruption burns no attempt but its token is spent', async () => {
      const request = claimRequest();
      const run = await startedRun(db, request);
      await interruptRun(db, run, signal());
      await interruptRun(db, run, signal());
      expect(await findVideo(db, run.externalId, signal())).toMatchObject({ status: 'pending', attempts: 0 });
      const next = await startedRun(other, request);
      expect(next).toMatchObject({ attempt: 1, token: 2 });
      await expect(completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal())).rejects.toMatchObject({
        code: 'RUN_SUPERSEDED',
      });
    });

    test('a superseded run records its failure and leaves the video to its heir', async () => {
      const request = claimRequest();
      const old = await startedRun(db, request);
      await expire(db, old);
      await startedRun(other, request);
      await failRun(db, old, { failure: cannotRead, isFinal: true }, signal());
      await interruptRun(db, old, signal());
      expect(await findVideo(db, old.externalId, signal())).toMatchObject({ status: 'processing', attempts: 2 });
      expect(await db.prisma.errorEvent.count({ where: { runId: old.runId } })).toBe(1);
    });

    test('a message that names no job is recorded with a bounded beginning of its body', async () => {
      const failure = new Failure('MESSAGE_NOT_JSON', 'the body is not JSON');
      await recordRejection(
        db,
        { messageId: 'm-1', failure, isFinal: true, body: `\0${'x'.repeat(100_000)}` },
        signal(),
      );
      expect(await other.prisma.errorEvent.findFirst({ where: { messageId: 'm-1' } })).toMatchObject({
        code: 'MESSAGE_NOT_JSON',
        excerpt: 'x'.repeat(499),
      });
    });
  });

  test('an operator sees the videos, newest first', async () => {
    const fresh = await databases.migrated();
    const first = await startedRun(fresh, claimRequest());
    const second = await startedRun(fresh, claimRequest());
    await completeRun(fresh, first, sampleAnalysis(), { highlightsBucket: null }, signal());
    expect((await listVideos(fresh, {}, signal())).map((video) => video.videoId)).toEqual([
      second.videoId,
      first.videoId,
    ]);
    expect((await listVideos(fresh, { limit: 1 }, signal())).map((v) => v.videoId)).toEqual([second.videoId]);
    expect(await findVideo(fresh, 'nobody', signal())).toBeNull();
    expect(await loadAnalysis(fresh, second.videoId, signal())).toBeNull();
  });
}

/** The request that leads to a video that is already there. */
function claimRequestOf(video: Awaited<ReturnType<typeof findVideo>>): ClaimRequest {
  if (video === null) throw new Error('the video is gone');
  return claimRequest({ identity: video.identity, externalId: video.externalId });
}
