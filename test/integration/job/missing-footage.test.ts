import { readFile } from 'node:fs/promises';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { loadAnalysis } from '../../../src/persistence/read/stored-analysis.ts';
import { NO_IMAGES } from '../../../src/report/images.ts';
import { renderReport } from '../../../src/report/report.ts';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import { makeMedia, testSource } from '../../harness/media.ts';
import { startVideoGround, type VideoGround } from '../../harness/video-ground.ts';
import { createVideoWorker, type VideoWorker } from '../../harness/video-worker.ts';

const idle = new AbortController().signal;
const held = new AsyncDisposableStack();
const lines: { readonly level: number; readonly [field: string]: unknown }[] = [];
const told: unknown[] = [];
let ground: VideoGround;
let rig: VideoWorker;
let processJob: ProcessJob;

beforeAll(async () => {
  ground = held.use(await startVideoGround(1));
  const { queueUrl } = ground.sqs.server.createQueue('videos');
  rig = held.use(
    await createVideoWorker({
      endpoint: ground.sqs.endpoint,
      queueUrl,
      deadLetterUrl: queueUrl,
      databaseUrl: ground.postgres.url,
      workDir: ground.folder.at('work'),
      logger: pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
      wrap: (made) => (processJob = made),
    }),
  );
  rig.events.on('video:degraded', (event) => told.push(event));
  await ground.sqs.store().send(new CreateBucketCommand({ Bucket: 'videos' }));
});
afterAll(async () => {
  await held.disposeAsync();
});

/** A sound FLV of four seconds whose header promises eight. */
async function halfOfAVideo(): Promise<Buffer> {
  const file = ground.folder.at('half.flv');
  await makeMedia([...testSource({ seconds: 4 }), '-c:v', 'flv1', file]);
  const body = await readFile(file);
  const name = body.indexOf('duration');
  body.writeDoubleBE(8, name + 'duration'.length + 1);
  return body;
}

test('footage that is missing is stored with its seconds, logged, counted and shown', async () => {
  await ground.sqs.store().send(new PutObjectCommand({ Bucket: 'videos', Key: 'half', Body: await halfOfAVideo() }));
  const disposition = await processJob(
    {
      job: {
        bucket: 'videos',
        key: 'half',
        versionId: null,
        etag: null,
        videoId: 'half',
        priority: 'normal',
        source: 'backend',
      },
      messageId: 'half',
      correlationId: 'half',
      receiveCount: 1,
      isLastReceive: false,
      confirmLease: async () => undefined,
    },
    idle,
  );
  expect(disposition).toEqual({ kind: 'ack', outcome: 'completed' });
  const video = await rig.database.prisma.video.findFirstOrThrow({ where: { externalId: 'half' } });
  expect(video).toMatchObject({ status: 'completed', durationSeconds: 4 });
  const { analysis } = (await loadAnalysis(rig.database, video.id, idle))!;
  const hole = { fromSeconds: 4, toSeconds: 8, message: expect.stringMatching(/^no frame came from 0:04.0 to 0:08.0/) };
  expect(analysis.degraded).toEqual([{ stage: 'decode', code: 'FOOTAGE_MISSING', ...hole }]);
  expect(analysis.sampling.frames).toBe(6);
  expect(told).toEqual([{ stage: 'decode', code: 'FOOTAGE_MISSING' }]);
  expect(lines).toEqual([
    expect.objectContaining({ level: 40, videoId: 'half', code: 'FOOTAGE_MISSING', stretches: [hole] }),
  ]);
  expect(renderReport(analysis, NO_IMAGES, { title: 'half' })).toContain('class="missing"');
});
