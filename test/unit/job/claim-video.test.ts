import { expect, test } from '@jest/globals';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import { claimVideo } from '../../../src/job/claim-video.ts';
import type { JobContext } from '../../../src/job/job-context.ts';
import type { Database } from '../../../src/persistence/client.ts';
import { jobIdentity, type Sampling } from '../../../src/persistence/identity.ts';
import { PLAIN_SAMPLING } from '../../harness/plain-sampling.ts';

const OBJECT = { bucket: 'uploads', key: 'store.mp4', versionId: null, etag: 'abc' };
const PACK = { packName: 'demo', packFingerprint: 'f'.repeat(64) };

/** A database in which every video is done, and the identities that it was asked for. */
function doneDatabase(): { readonly database: Database; readonly identities: readonly string[] } {
  const identities: string[] = [];
  const tx = {
    $executeRaw: async () => 0,
    $queryRaw: async () => [{ id: 'v1', external_id: 'done', status: 'completed' }],
    video: {
      findUnique: async ({ where }: { readonly where: { readonly identity: string } }) => {
        identities.push(where.identity);
        return { id: 'v1' };
      },
    },
  };
  const database = {
    prisma: { $transaction: (work: (inside: typeof tx) => Promise<unknown>) => work(tx) },
    schema: 'video_worker',
    limits: { statementMs: 1_000, idleInTransactionMs: 1_000, lockMs: null },
    statementTimeoutMs: 1_000,
    connectTimeoutMs: 1_000,
  } as unknown as Database;
  return { database, identities };
}

/** The identity under which a worker of these settings claims the object. */
async function claimed(given: Partial<AnalysisSettings>): Promise<string | undefined> {
  const { database, identities } = doneDatabase();
  const context = {
    deps: { database, chain: { description: PACK } },
    settings: { analysis: { ...DEFAULT_ANALYSIS_SETTINGS, ...given }, decode: {}, workerId: 'w1' },
    delivery: { job: { ...OBJECT, videoId: null }, messageId: 'm1' },
    signal: new AbortController().signal,
  } as unknown as JobContext;
  const head = { ...OBJECT, sizeBytes: 1, region: null, writtenBy: null };
  expect(await claimVideo(context, head)).toMatchObject({ kind: 'completed', videoId: 'v1' });
  return identities[0];
}

const identityOf = (sampling: Partial<Sampling>): string =>
  jobIdentity({ ...OBJECT, ...PACK, sampling: { ...PLAIN_SAMPLING, ...sampling } });

test('a video is claimed under the identity of its object, the pack and the sampling', async () => {
  expect(await claimed({})).toBe(identityOf({}));
  expect(await claimed({ framesPerSecond: 2 })).toBe(identityOf({ framesPerSecond: 2 }));
  expect(await claimed({ stillPictures: 'reuse' })).toBe(identityOf({ stillPictures: 'reuse' }));
});

test('with exact attributes, which analyse every picture, it is the same job whatever is set for still ones', async () => {
  const exact = identityOf({ attributes: 'per-frame' });
  expect(await claimed({ attributes: 'per-frame' })).toBe(exact);
  expect(await claimed({ attributes: 'per-frame', stillPictures: 'reuse' })).toBe(exact);
});
