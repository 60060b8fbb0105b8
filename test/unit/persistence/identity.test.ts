import { expect, test } from '@jest/globals';
import { derivedVideoId, jobIdentity, type JobFacts } from '../../../src/persistence/identity.ts';
import { PLAIN_SAMPLING } from '../../harness/plain-sampling.ts';

const sampling = PLAIN_SAMPLING;
const job: JobFacts = {
  bucket: 'uploads',
  key: 'videos/2025/12/29/store.mp4',
  versionId: null,
  etag: 'abc',
  packFingerprint: 'f'.repeat(64),
  sampling,
};

test('an identity is a stable SHA-256: rows of earlier versions must still be found', () => {
  expect(jobIdentity(job)).toBe('da37e85b1c91bd4f115eeafb53751803c957d7e67a2c5f5256492dee1caa844e');
  expect(derivedVideoId(job)).toBe('object-bad13b4a1be1c13290f83eb4b36e0278');
});

test.each<[string, Partial<JobFacts>]>([
  ['bucket', { bucket: 'other' }],
  ['key', { key: 'videos/2025/12/29/store2.mp4' }],
  ['content', { etag: 'abd' }],
  ['version', { versionId: 'v1' }],
  ['pack', { packFingerprint: 'e'.repeat(64) }],
  ['rate', { sampling: { ...sampling, framesPerSecond: 2 } }],
  ['reading', { sampling: { ...sampling, attributes: 'per-frame' } }],
  ['way of decoding', { sampling: { ...sampling, decode: 'fast' } }],
  ['way with still pictures', { sampling: { ...sampling, stillPictures: 'reuse' } }],
])('another %s is another job', (_, change) => {
  expect(jobIdentity({ ...job, ...change })).not.toBe(jobIdentity(job));
});

test('a version names the content: the ETag beside it does not matter, except where versioning is suspended', () => {
  const versioned = { ...job, versionId: 'v1' };
  expect(jobIdentity({ ...versioned, etag: null })).toBe(jobIdentity(versioned));
  const suspended = { ...job, versionId: 'null' };
  expect(jobIdentity({ ...suspended, etag: 'other' })).not.toBe(jobIdentity(suspended));
});

test('bucket and key cannot be shifted into each other', () => {
  expect(derivedVideoId({ ...job, bucket: 'a', key: 'b/c' })).not.toBe(
    derivedVideoId({ ...job, bucket: 'a/b', key: 'c' }),
  );
  expect(derivedVideoId({ ...job, bucket: 'a"', key: 'b' })).not.toBe(
    derivedVideoId({ ...job, bucket: 'a', key: '"b' }),
  );
});

test('the derived id knows the object only, not the path, pack or sampling', () => {
  expect(derivedVideoId(job)).toMatch(/^object-[0-9a-f]{32}$/);
  expect(derivedVideoId(job)).not.toContain('2025');
});
