import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Failure } from '../../../../src/failure/failure.ts';
import type { ClaimRequest, Run } from '../../../../src/persistence/claim-run.ts';
import type { Database } from '../../../../src/persistence/client.ts';
import { completeRun } from '../../../../src/persistence/complete-run.ts';
import { failRun } from '../../../../src/persistence/end-run.ts';
import { keepAlive } from '../../../../src/persistence/keep-alive.ts';
import { findVideo } from '../../../../src/persistence/read/videos.ts';
import { registerRequest } from '../../../../src/persistence/register-request.ts';
import { sweepRuns } from '../../../../src/persistence/sweep-runs.ts';
import { sampleAnalysis } from '../../../harness/analysis-sample.ts';
import { claimRequest, signal, type TestDatabases, startedRun } from '../databases.ts';

const LEASE = 60;
const DAY = 86_400;
const limits = { graceSeconds: LEASE, pendingSeconds: 14 * DAY, worker: 'sweeper' };

let count = 0;

function request(changes: { isLastReceive?: boolean; leaseSeconds?: number } = {}): ClaimRequest {
  count += 1;
  const { object, ...rest } = claimRequest();
  const message = { messageId: `m-${count}`, object, receiveCount: 1, isLastReceive: false, leaseSeconds: LEASE };
  return { ...rest, object, externalId: `swept-${count}`, message: { ...message, ...changes } };
}

export function sweepSuite(databases: TestDatabases): void {
  let db: Database;
  let other: Database;
  beforeAll(async () => {
    db = await databases.migrated();
    other = await databases.open({ schema: db.schema });
  });
  beforeEach(async () => {
    await db.prisma.video.deleteMany();
  });

  const start = (asked: ClaimRequest): Promise<Run> => startedRun(db, asked);

  /** The worker was killed so long before its run ceased to count as alive. */
  async function silentFor(run: Run, seconds: number): Promise<void> {
    await db.pool.query(
      `UPDATE "${db.schema}"."analysis_runs" SET "alive_until" = clock_timestamp() - make_interval(secs => $1) WHERE "id" = $2`,
      [seconds, run.runId],
    );
  }

  async function unheardFor(videoId: string, seconds: number): Promise<void> {
    await db.pool.query(
      `UPDATE "${db.schema}"."videos" SET "updated_at" = clock_timestamp() - make_interval(secs => $1),
         "created_at" = clock_timestamp() - make_interval(secs => $1) WHERE "id" = $2`,
      [seconds, videoId],
    );
  }

  const errorsOf = (run: Run) => db.prisma.errorEvent.findMany({ where: { videoId: run.videoId } });

  test('a video whose message used up its receives on killed workers has failed, and the rows say so', async () => {
    const asked = request();
    const first = await start(asked);
    await silentFor(first, 1);
    const last = { ...asked, worker: 'worker-b', message: { ...asked.message!, receiveCount: 2, isLastReceive: true } };
    const second = await start(last);
    await silentFor(second, LEASE + 1);
    expect(await sweepRuns(other, limits, signal())).toEqual({ runs: 1, videos: 0 });
    expect(await findVideo(db, asked.externalId, signal())).toMatchObject({
      status: 'failed',
      failureCode: 'WORKER_LOST',
      progress: 0,
      run: { outcome: 'failed', failureCode: 'WORKER_LOST', worker: 'worker-b' },
    });
    expect(await errorsOf(second)).toMatchObject([
      {
        code: 'WORKER_LOST',
        class: 'temporary',
        runId: second.runId,
        worker: 'worker-b',
        externalId: asked.externalId,
        messageId: asked.message!.messageId,
        key: asked.object.key,
        details: { foundBy: 'sweeper' },
      },
    ]);
  });

  test('a run whose message comes back lets its video wait, and is done by the next worker', async () => {
    const asked = request();
    const run = await start(asked);
    await silentFor(run, LEASE + 1);
    await sweepRuns(db, limits, signal());
    expect(await findVideo(db, asked.externalId, signal())).toMatchObject({
      status: 'pending',
      failureCode: 'WORKER_LOST',
    });
    await completeRun(db, await start(asked), sampleAnalysis(), { highlightsBucket: null }, signal());
    expect(await findVideo(db, asked.externalId, signal())).toMatchObject({ status: 'completed', failureCode: null });
  });

  test("a worker that is frozen while its message's lease lives is not dead, whatever the sweeper's own lease", async () => {
    const short = await start(request());
    await silentFor(short, LEASE - 10);
    const long = await start(request({ leaseSeconds: 600 }));
    await silentFor(long, 500);
    expect(await sweepRuns(db, limits, signal())).toEqual({ runs: 0, videos: 0 });
    expect(await keepAlive(db, short, 60, signal())).toBe(true);
  });

  test('a worker that wakes up after its run was ended may not write any more', async () => {
    const run = await start(request());
    await silentFor(run, LEASE + 1);
    await sweepRuns(other, limits, signal());
    expect(await keepAlive(db, run, 60, signal())).toBe(false);
    await expect(completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal())).rejects.toMatchObject({
      code: 'RUN_SUPERSEDED',
    });
    expect(await findVideo(db, run.videoId, signal())).toMatchObject({ status: 'pending' });
  });

  test('two sweeps at once end each run once', async () => {
    const runs = await Promise.all([request(), request(), request()].map(start));
    for (const run of runs) await silentFor(run, LEASE + 1);
    const swept = await Promise.all([db, other, db].map((client) => sweepRuns(client, limits, signal())));
    expect(swept.reduce((sum, { runs: ended }) => sum + ended, 0)).toBe(3);
    for (const run of runs) expect(await errorsOf(run)).toHaveLength(1);
  });

  test('a video that nothing was heard of for longer than a queue keeps a message has failed, with its last reason', async () => {
    const waiting = request();
    await registerRequest(
      db,
      { externalId: waiting.externalId, object: waiting.object, messageId: 'm', isLastReceive: false, worker: 'w' },
      signal(),
    );
    const retried = await start(request());
    await failRun(db, retried, { failure: new Failure('NETWORK', 'reset'), isFinal: false }, signal());
    const young = await start(request());
    await failRun(db, young, { failure: new Failure('NETWORK', 'reset'), isFinal: false }, signal());
    const waitingId = (await findVideo(db, waiting.externalId, signal()))!.videoId;
    await unheardFor(waitingId, 15 * DAY);
    await unheardFor(retried.videoId, 15 * DAY);
    await unheardFor(young.videoId, 13 * DAY);
    expect(await sweepRuns(db, limits, signal())).toEqual({ runs: 0, videos: 2 });
    expect(await findVideo(db, waitingId, signal())).toMatchObject({ status: 'failed', failureCode: 'WORKER_LOST' });
    expect(await findVideo(db, retried.videoId, signal())).toMatchObject({ status: 'failed', failureCode: 'NETWORK' });
    expect(await findVideo(db, young.videoId, signal())).toMatchObject({ status: 'pending' });
  });

  test('a message that was killed with its worker at its last receive, before any run, is over after the longest receive', async () => {
    const { externalId, object } = request();
    const noted = { externalId, object, messageId: 'm', isLastReceive: false, worker: 'w' };
    await registerRequest(db, noted, signal());
    const { videoId } = (await findVideo(db, externalId, signal()))!;
    const longAgo = async (): Promise<void> => {
      await unheardFor(videoId, DAY);
      await db.pool.query(`UPDATE "${db.schema}"."video_ids" SET "updated_at" = now() - interval '1 day'`);
    };
    await longAgo();
    expect(await sweepRuns(db, limits, signal())).toEqual({ runs: 0, videos: 0 });
    await registerRequest(db, { ...noted, isLastReceive: true }, signal());
    expect(await sweepRuns(db, limits, signal())).toEqual({ runs: 0, videos: 0 });
    await longAgo();
    expect(await sweepRuns(db, limits, signal())).toEqual({ runs: 0, videos: 1 });
    expect(await findVideo(db, externalId, signal())).toMatchObject({ status: 'failed', failureCode: 'WORKER_LOST' });
  });

  test('a run under way is never ended, however long it takes', async () => {
    const run = await start(request());
    await unheardFor(run.videoId, 20 * DAY);
    expect(await sweepRuns(db, limits, signal())).toEqual({ runs: 0, videos: 0 });
  });
}
