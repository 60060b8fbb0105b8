import { beforeAll, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../src/failure/failure.ts';
import { claimRun, type ClaimRequest } from '../../../../src/persistence/claim-run.ts';
import type { Database } from '../../../../src/persistence/client.ts';
import { completeRun } from '../../../../src/persistence/complete-run.ts';
import { failRun } from '../../../../src/persistence/end-run.ts';
import type { ObjectIdentity } from '../../../../src/persistence/identity.ts';
import { findVideo } from '../../../../src/persistence/read/videos.ts';
import { recordRejection } from '../../../../src/persistence/record-rejection.ts';
import { registerRequest } from '../../../../src/persistence/register-request.ts';
import { sampleAnalysis } from '../../../harness/analysis-sample.ts';
import { claimRequest, signal, startedRun, type TestDatabases } from '../databases.ts';

let count = 0;

/** A message of the backend about an object that no other test knows. */
function message(
  changes: Partial<{ externalId: string; object: ObjectIdentity; messageId: string; worker: string }> = {},
) {
  count += 1;
  return {
    externalId: `id-${count}`,
    object: { bucket: 'uploads', key: `ids/${count}.mp4`, versionId: null, etag: null },
    messageId: `m-${count}`,
    isLastReceive: false,
    worker: 'worker-a',
    ...changes,
  };
}

/** The claim that follows a message, once the store has told the ETag. */
function claimOf(
  { externalId, object, messageId, worker }: ReturnType<typeof message>,
  etag = 'e1',
  isLastReceive = false,
): ClaimRequest {
  const facts = { messageId, object, receiveCount: 1, isLastReceive, leaseSeconds: 60 };
  return { ...claimRequest({ object: { ...object, etag } }), externalId, worker, message: facts };
}

const missing = new Failure('OBJECT_NOT_FOUND', 'no such key', { stage: 'head' });

export function idsSuite(databases: TestDatabases): void {
  let db: Database;
  let other: Database;
  beforeAll(async () => {
    db = await databases.migrated();
    other = await databases.open({ schema: db.schema });
  });

  const rowsOf = (key: string) => db.prisma.video.findMany({ where: { key }, orderBy: { createdAt: 'asc' } });

  describe('an id', () => {
    test('has a row that waits from its message on, and that row becomes the video', async () => {
      const m = message();
      await registerRequest(db, m, signal());
      await registerRequest(other, m, signal());
      const before = await findVideo(db, m.externalId, signal());
      expect(before).toMatchObject({ externalId: m.externalId, status: 'pending', progress: 0, key: m.object.key });
      const claim = await claimRun(db, claimOf(m), signal());
      expect(claim).toMatchObject({ kind: 'started', run: { videoId: before?.videoId, requestedId: m.externalId } });
      expect(await rowsOf(m.object.key)).toMatchObject([{ id: before?.videoId, status: 'processing', etag: 'e1' }]);
      expect(await db.prisma.analysisRun.findFirst({ where: { messageId: m.messageId } })).toMatchObject({
        receiveCount: 1,
        lastReceive: false,
        leaseSeconds: 60,
      });
    });

    test('that comes second for an object means the same video at once, whether that is under way or done', async () => {
      const first = message();
      const run = await startedRun(db, claimOf(first));
      const second = message({ object: first.object });
      await registerRequest(db, second, signal());
      expect(await claimRun(other, claimOf(second), signal())).toMatchObject({ kind: 'running' });
      expect((await findVideo(db, second.externalId, signal()))?.videoId).toBe(run.videoId);
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      const third = message({ object: first.object });
      await registerRequest(db, third, signal());
      expect(await claimRun(db, claimOf(third), signal())).toMatchObject({ kind: 'completed' });
      expect(await findVideo(db, third.externalId, signal())).toMatchObject({
        videoId: run.videoId,
        status: 'completed',
        externalId: first.externalId,
      });
      expect(await rowsOf(first.object.key)).toHaveLength(1);
    });

    test('that follows a storage event replaces the derived one', async () => {
      const m = message();
      const event = claimRequest({ object: { ...m.object, etag: 'e1' } });
      const claim = await claimRun(db, event, signal());
      await registerRequest(db, m, signal());
      expect(await claimRun(db, claimOf(m), signal())).toMatchObject({ kind: 'running' });
      expect(claim.kind === 'started' && (await findVideo(db, m.externalId, signal()))).toMatchObject({
        videoId: claim.kind === 'started' ? claim.run.videoId : '',
        externalId: m.externalId,
      });
    });

    test('that is sent again for the same object makes no other row', async () => {
      const m = message();
      await registerRequest(db, m, signal());
      await claimRun(db, claimOf(m), signal());
      await registerRequest(db, { ...m, messageId: 'later' }, signal());
      expect(await rowsOf(m.object.key)).toHaveLength(1);
    });

    test('that is sent again for other content points to the newest, also when the older message comes back', async () => {
      const old = message();
      await registerRequest(db, old, signal());
      const first = await claimRun(db, claimOf(old), signal());
      const fresh = message({ externalId: old.externalId });
      await registerRequest(db, fresh, signal());
      expect(await findVideo(db, old.externalId, signal())).toMatchObject({ key: fresh.object.key, status: 'pending' });
      await registerRequest(db, old, signal());
      expect(await claimRun(db, claimOf(old), signal())).toMatchObject({ kind: 'running' });
      expect(await findVideo(db, old.externalId, signal())).toMatchObject({ key: fresh.object.key });
      expect(await claimRun(db, claimOf(fresh), signal())).toMatchObject({ kind: 'started' });
      expect(await findVideo(db, old.externalId, signal())).toMatchObject({
        key: fresh.object.key,
        status: 'processing',
      });
      expect(first.kind).toBe('started');
    });

    test('whose object was uploaded again points to the new content', async () => {
      const m = message();
      await registerRequest(db, m, signal());
      await claimRun(db, claimOf(m, 'before'), signal());
      const again = { ...m, messageId: 'again' };
      await registerRequest(db, again, signal());
      expect(await claimRun(db, claimOf(again, 'after'), signal())).toMatchObject({ kind: 'started' });
      const newest = await findVideo(db, m.externalId, signal());
      expect((await rowsOf(m.object.key)).find((row) => row.id === newest?.videoId)?.etag).toBe('after');
    });

    test('that many workers note and claim at once leads to one row and one run', async () => {
      const m = message();
      const second = message({ object: m.object });
      const attempts = [db, other, db, other].flatMap((client) => [m, second].map((each) => ({ client, each })));
      const claims = await Promise.all(
        attempts.map(async ({ client, each }) => {
          await registerRequest(client, each, signal());
          return await claimRun(client, claimOf(each), signal());
        }),
      );
      expect(claims.filter((claim) => claim.kind === 'started')).toHaveLength(1);
      // A message that is noted after its own claim finds the video and leaves nothing that waits.
      expect(await rowsOf(m.object.key)).toHaveLength(1);
      const [one, two] = await Promise.all([m, second].map((each) => findVideo(db, each.externalId, signal())));
      expect(one?.videoId).toBe(two?.videoId);
    });
  });

  describe('a message that fails before its object is known', () => {
    test('leaves its video failed and an error with its id and worker', async () => {
      const m = message();
      await registerRequest(db, m, signal());
      await recordRejection(db, rejectionOf(m, true), signal());
      const video = await findVideo(db, m.externalId, signal());
      expect(video).toMatchObject({ status: 'failed', failureCode: 'OBJECT_NOT_FOUND' });
      expect(await db.prisma.errorEvent.findFirst({ where: { externalId: m.externalId } })).toMatchObject({
        videoId: video?.videoId,
        worker: 'worker-a',
        messageId: m.messageId,
        key: m.object.key,
      });
    });

    test('lets its video wait where it comes back, and its next receive begins anew', async () => {
      const m = message();
      await registerRequest(db, m, signal());
      await recordRejection(db, rejectionOf(m, false), signal());
      expect(await findVideo(db, m.externalId, signal())).toMatchObject({
        status: 'pending',
        failureCode: 'OBJECT_NOT_FOUND',
      });
      await recordRejection(db, rejectionOf(m, true), signal());
      await registerRequest(db, m, signal());
      expect(await findVideo(db, m.externalId, signal())).toMatchObject({ status: 'pending', failureCode: null });
    });

    test('fails the video of its own earlier run, with an id or without', async () => {
      const named = message();
      const unnamed = message();
      for (const m of [named, unnamed]) {
        const request = claimOf(m);
        const run = await startedRun(
          db,
          m === named ? request : { ...request, externalId: claimRequest({ object: request.object }).externalId },
        );
        await failRun(db, run, { failure: new Failure('NETWORK', 'reset'), isFinal: false }, signal());
        await recordRejection(db, { ...rejectionOf(m, true), externalId: m === named ? m.externalId : null }, signal());
        expect(await findVideo(db, run.videoId, signal())).toMatchObject({ status: 'failed' });
      }
    });

    test('changes nothing of a video that is done or under way', async () => {
      const m = message();
      const run = await startedRun(db, claimOf(m));
      await recordRejection(db, rejectionOf(m, true), signal());
      expect(await findVideo(db, m.externalId, signal())).toMatchObject({ status: 'processing', failureCode: null });
      await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
      await recordRejection(db, rejectionOf(m, true), signal());
      expect(await findVideo(db, m.externalId, signal())).toMatchObject({ status: 'completed', failureCode: null });
    });

    test('that names no object leaves a failed row for a new id, and nothing but an error for one that has a meaning', async () => {
      const failure = new Failure('MESSAGE_FIELD_MISSING', 'no s3 part');
      const m = message();
      const rejection = {
        messageId: m.messageId,
        failure,
        isFinal: true,
        externalId: m.externalId,
        worker: 'worker-a',
      };
      await recordRejection(db, rejection, signal());
      expect(await findVideo(db, m.externalId, signal())).toMatchObject({
        status: 'failed',
        failureCode: 'MESSAGE_FIELD_MISSING',
        bucket: '',
        key: '',
      });
      const known = message();
      await registerRequest(db, known, signal());
      await recordRejection(db, { ...rejection, externalId: known.externalId, messageId: 'broken' }, signal());
      expect(await findVideo(db, known.externalId, signal())).toMatchObject({
        status: 'pending',
        key: known.object.key,
      });
      expect(await db.prisma.errorEvent.count({ where: { externalId: known.externalId } })).toBe(1);
    });
  });
}

function rejectionOf({ messageId, object, externalId }: ReturnType<typeof message>, isFinal: boolean) {
  return { messageId, failure: missing, isFinal, job: object, externalId, worker: 'worker-a' };
}
