import { expect, test } from '@jest/globals';
import { Failure } from '../../../../src/failure/failure.ts';
import { completeRun } from '../../../../src/persistence/complete-run.ts';
import { findTraces } from '../../../../src/persistence/read/message-traces.ts';
import { loadAnalysis } from '../../../../src/persistence/read/stored-analysis.ts';
import { findVideo } from '../../../../src/persistence/read/videos.ts';
import { recordRejection } from '../../../../src/persistence/record-rejection.ts';
import { registerRequest } from '../../../../src/persistence/register-request.ts';
import { sampleAnalysis, sampleEvent } from '../../../harness/analysis-sample.ts';
import { claimRequest, signal, type TestDatabases, startedRun } from '../databases.ts';

const HOSTILE = [
  `'; DROP TABLE "videos"; --`,
  `"; DELETE FROM error_events; --`,
  String.raw`\'; SELECT pg_sleep(60); --`,
  '$$; ROLLBACK; $$',
  '{"a": [1, "}',
  '$1',
  '%s %I',
];

export function outsideValuesSuite(databases: TestDatabases): void {
  test('what comes from outside is a value wherever it stands, and is read back as it was', async () => {
    const db = await databases.migrated();
    for (const text of HOSTILE) {
      const object = { bucket: text, key: text, versionId: text, etag: text };
      const request = { externalId: text, object, messageId: text, isLastReceive: false, worker: text };
      await registerRequest(db, request, signal());
      const message = { messageId: text, object, receiveCount: 1, isLastReceive: false, leaseSeconds: 30 };
      const run = await startedRun(db, claimRequest({ externalId: text, object, worker: text, message }));
      const event = sampleEvent({ type: text, text, keywords: [text], highlight: null });
      await completeRun(db, run, sampleAnalysis({ events: [event] }), { highlightsBucket: null }, signal());
      const failure = new Failure('NOT_A_VIDEO', text, { details: { [text]: text } });
      await recordRejection(db, { messageId: text, failure, isFinal: true, body: text, worker: text }, signal());
      expect(await findVideo(db, text, signal())).toMatchObject({ externalId: text, bucket: text, key: text });
      const stored = await loadAnalysis(db, run.videoId, signal());
      expect(stored?.analysis.events).toEqual([expect.objectContaining({ type: text, text, keywords: [text] })]);
      const { errors } = await findTraces(db, [text], [{ bucket: text, key: text, videoId: text }], signal());
      expect(errors).toEqual([expect.objectContaining({ messageId: text, reason: text })]);
    }
    expect(await db.prisma.video.count()).toBe(HOSTILE.length);
    expect(await db.prisma.errorEvent.count()).toBe(HOSTILE.length);
  });
}
