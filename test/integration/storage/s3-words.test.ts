import { readFile } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RETRY_POLICIES } from '../../../src/failure/retry.ts';
import { downloadObject, headObject, type DownloadLimits } from '../../../src/storage/download.ts';
import { uploadFile } from '../../../src/storage/upload-file.ts';
import {
  startFakeStore,
  storeError,
  type FakeStore,
  type StoreAnswer,
  type StoreRequest,
} from '../../harness/fake-store.ts';
import { localS3 } from '../../harness/local-aws.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const limits: DownloadLimits = { maxBytes: 1_000, timeoutMs: 30_000, retry: { ...RETRY_POLICIES.download, baseMs: 1 } };
const ref = { bucket: 'videos', key: 'a.mp4', versionId: null, etag: null };
let held: AsyncDisposableStack;
let answer: (request: StoreRequest) => StoreAnswer;
let store: FakeStore;
let client: S3Client;

beforeEach(async () => {
  held = new AsyncDisposableStack();
  store = held.use(await startFakeStore((request) => answer(request)));
  client = held.adopt(localS3({ endpoint: store.endpoint, region: 'us-east-1', maxAttempts: 1 }), (made) =>
    made.destroy(),
  );
});
afterEach(async () => {
  await held.disposeAsync();
});

const asked = (): string[] => store.requests.map(({ method, region }) => `${method} ${region}`);
const failureOf = async (): Promise<unknown> =>
  await headObject(client, ref, limits, never).then(
    () => 'none',
    (error: unknown) => error,
  );

const marker = { 'x-amz-delete-marker': 'true' };
test.each<[string, StoreAnswer, object]>([
  ['keys that are wrong', storeError(403, 'InvalidAccessKeyId'), { code: 'CREDENTIALS', class: 'system' }],
  ['a wrong clock', storeError(403, 'RequestTimeTooSkewed'), { code: 'CLOCK_SKEWED', class: 'system' }],
  ['a token that is over', storeError(400, 'ExpiredToken'), { code: 'CREDENTIALS', class: 'system' }],
  ['a suspended account', storeError(403, 'AccountProblem'), { code: 'ACCOUNT_PROBLEM', class: 'system' }],
  ['an object that is denied', storeError(403, 'AccessDenied'), { code: 'OBJECT_FORBIDDEN', class: 'permanent' }],
  ['a missing bucket', storeError(404, 'NoSuchBucket'), { code: 'BUCKET_NOT_FOUND' }],
  ['a missing object', storeError(404, 'NoSuchKey'), { code: 'OBJECT_NOT_FOUND' }],
  ['an archive', storeError(403, 'InvalidObjectState'), { code: 'OBJECT_ARCHIVED', class: 'permanent' }],
  ['a key that is switched off', storeError(400, 'KMS.DisabledException'), { code: 'KMS_REFUSED', class: 'temporary' }],
  [
    'an object with a key of its uploader',
    storeError(
      400,
      'InvalidRequest',
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided',
    ),
    { code: 'OBJECT_ENCRYPTED', class: 'permanent' },
  ],
  [
    'a deleted object',
    { ...storeError(404, 'NoSuchKey'), headers: marker },
    { code: 'OBJECT_NOT_FOUND', message: expect.stringContaining('delete marker') },
  ],
  [
    'a version that is a delete marker',
    { ...storeError(405, 'MethodNotAllowed'), headers: marker },
    { code: 'OBJECT_NOT_FOUND', message: expect.stringContaining('delete marker') },
  ],
  [
    'a redirect to nowhere',
    storeError(301, 'PermanentRedirect'),
    { code: 'STORE_MISCONFIGURED', message: expect.stringContaining('AWS_REGION') },
  ],
  ['a store without objects', storeError(405, 'MethodNotAllowed'), { code: 'STORE_MISCONFIGURED' }],
  [
    'an ingress whose store is gone',
    { status: 404, headers: { 'content-type': 'text/plain' }, body: 'default backend - 404' },
    { code: 'STORE_MISCONFIGURED', class: 'temporary' },
  ],
  [
    'a proxy that lets nobody through',
    { status: 403, headers: { 'content-type': 'text/html' }, body: '<html><h1>403 Forbidden</h1></html>' },
    { code: 'STORE_MISCONFIGURED', class: 'temporary' },
  ],
  [
    'a request that the store does not understand',
    storeError(400, 'InvalidArgument', 'unsupported header'),
    { code: 'STORE_MISCONFIGURED', class: 'temporary' },
  ],
  ['a body of nothing', { status: 416 }, { code: 'OBJECT_EMPTY' }],
])('HEAD says nothing of %s: a GET of one byte is asked, and decides', async (_what, said, expected) => {
  answer = () => said;
  expect(await failureOf()).toMatchObject(expected);
  expect(asked()).toEqual(['HEAD us-east-1', 'GET us-east-1']);
  expect(store.requests[1]?.headers.range).toBe('bytes=0-0');
});

test("S3's own words are kept, with its code and the bucket's region", async () => {
  answer = () =>
    storeError(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
  expect(await failureOf()).toMatchObject({
    message: expect.stringContaining('InvalidAccessKeyId: The AWS Access Key Id you provided does not exist'),
    details: { s3Code: 'InvalidAccessKeyId', httpStatus: 403 },
  });
});

test('a server that refuses HEAD and answers GET has told enough', async () => {
  answer = ({ method }) =>
    method === 'HEAD'
      ? { status: 403 }
      : { status: 206, headers: { etag: '"e1"', 'content-range': 'bytes 0-0/500', 'content-length': '1' }, body: 'x' };
  expect(await headObject(client, ref, limits, never)).toMatchObject({ etag: '"e1"', sizeBytes: 500 });
});

test.each<[string, (request: StoreRequest) => StoreAnswer, string[]]>([
  [
    'a header',
    () => ({ status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } }),
    ['HEAD us-east-1', 'HEAD eu-west-1'],
  ],
  [
    'a header of a signature that is refused',
    () => ({ status: 400, headers: { 'x-amz-bucket-region': 'eu-west-1' } }),
    ['HEAD us-east-1', 'HEAD eu-west-1'],
  ],
  [
    'a temporary redirect',
    () => ({ status: 307, headers: { 'x-amz-bucket-region': 'eu-west-1' } }),
    ['HEAD us-east-1', 'HEAD eu-west-1'],
  ],
  [
    'the body',
    () => storeError(301, 'PermanentRedirect', 'x', '<Endpoint>videos.s3.eu-west-1.amazonaws.com</Endpoint>'),
    ['HEAD us-east-1', 'GET us-east-1', 'HEAD eu-west-1'],
  ],
  [
    'a sentence',
    () => storeError(400, 'AuthorizationHeaderMalformed', "the region 'us-east-1' is wrong; expecting 'eu-west-1'"),
    ['HEAD us-east-1', 'GET us-east-1', 'HEAD eu-west-1'],
  ],
])('the region that %s names is followed, for the download too', async (_what, elsewhere, requests) => {
  await using folder = await temporaryFolder('region');
  const content = { status: 200, headers: { etag: '"e1"', 'content-length': '5' }, body: 'video' };
  answer = (request) => (request.region === 'eu-west-1' ? content : elsewhere(request));
  const head = await headObject(client, ref, limits, never);
  expect(asked()).toEqual(requests);
  const target = `${folder.path}/video`;
  await downloadObject(client, head, target, limits, never);
  expect(asked().slice(requests.length)).toEqual(['GET eu-west-1']);
  expect(await readFile(target, 'utf8')).toBe('video');
});

test('a region is followed once: where the next one sends elsewhere, the configuration is at fault, and it is said', async () => {
  answer = ({ region }) => ({
    ...storeError(301, 'PermanentRedirect'),
    headers: { 'x-amz-bucket-region': region === 'us-east-1' ? 'eu-west-1' : 'us-east-1' },
  });
  expect(await failureOf()).toMatchObject({
    code: 'STORE_MISCONFIGURED',
    message: expect.stringContaining('AWS_REGION'),
  });
  expect(asked().length).toBeLessThan(5);
});

test('an image follows the region of its bucket, and what its bucket refuses is never said of the video', async () => {
  const target = { bucket: 'images', key: 'highlights/1/a.jpg', contentType: 'image/jpeg' };
  const image = Buffer.from('image');
  answer = ({ region }) =>
    region === 'eu-west-1' ? { status: 200 } : { status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } };
  await uploadFile(client, target, image, never);
  expect(asked()).toEqual(['PUT us-east-1', 'PUT eu-west-1']);
  expect(store.requests[1]?.headers['x-amz-meta-written-by']).toBe('gpu-video-worker');
  for (const [said, code] of [
    [storeError(404, 'NoSuchBucket'), 'OUTPUT_REFUSED'],
    [storeError(403, 'AccessDenied'), 'OUTPUT_REFUSED'],
    [storeError(301, 'PermanentRedirect'), 'OUTPUT_REFUSED'],
    [storeError(503, 'SlowDown'), 'THROTTLED'],
    [storeError(400, 'KMS.DisabledException'), 'KMS_REFUSED'],
    [storeError(403, 'InvalidAccessKeyId'), 'CREDENTIALS'],
  ] as const) {
    answer = () => said;
    await expect(uploadFile(client, target, image, never)).rejects.toMatchObject({ code });
  }
});

test('the page of a portal in the place of the store is no object', async () => {
  answer = () => ({ status: 200, headers: { 'content-type': 'text/html', 'content-length': '300' } });
  expect(await failureOf()).toMatchObject({ code: 'STORE_MISCONFIGURED', class: 'temporary' });
});
