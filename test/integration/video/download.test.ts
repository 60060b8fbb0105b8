import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { downloadObject, headObject, type DownloadLimits } from '../../../src/video/download.ts';
import { uploadFile } from '../../../src/video/upload.ts';
import { createWorkspace, removeStaleWorkspaces, type Workspace } from '../../../src/video/workspace.ts';
import { createFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { mediaFolder } from '../../support/media.ts';

const never = new AbortController().signal;
const limits: DownloadLimits = { maxBytes: 5_000_000, timeoutMs: 5_000, retryBaseMs: 5 };
const content = randomBytes(2_000_000);
let server: FauxqsServer;
let proxy: FaultProxy;
let client: S3Client;
let folder: Awaited<ReturnType<typeof mediaFolder>>;
let workspace: Workspace;

const ref = (key: string, change: object = {}) => ({ bucket: 'videos', key, versionId: null, etag: null, ...change });

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false });
  proxy = await createFaultProxy('127.0.0.1', server.port);
  client = new S3Client({
    endpoint: `http://127.0.0.1:${proxy.port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  folder = await mediaFolder();
  workspace = await createWorkspace(folder.path, 'download');
  await client.send(new CreateBucketCommand({ Bucket: 'videos' }));
  await client.send(new PutObjectCommand({ Bucket: 'videos', Key: 'a b/ü.mp4', Body: content }));
  await client.send(new PutObjectCommand({ Bucket: 'videos', Key: 'empty', Body: new Uint8Array() }));
});
afterEach(() => proxy.heal());
afterAll(async () => {
  await workspace.dispose();
  await workspace.dispose();
  client.destroy();
  await proxy.close();
  await server.stop();
  await folder.remove();
});

test('an object arrives whole in a private workspace', async () => {
  const target = workspace.path('whole');
  const got = await downloadObject(client, ref('a b/ü.mp4'), target, limits, never);
  expect(got.bytes).toBe(content.length);
  expect((await readFile(target)).equals(content)).toBe(true);
  expect((await stat(workspace.directory)).mode & 0o777).toBe(0o700);
  expect(await removeStaleWorkspaces(folder.path)).toBe(0);
});

test('a connection that is cut midway is resumed by range', async () => {
  const target = workspace.path('resumed');
  proxy.cutAfterBytes(900_000, 1);
  const before = proxy.accepted;
  await downloadObject(client, ref('a b/ü.mp4'), target, limits, never);
  expect((await readFile(target)).equals(content)).toBe(true);
  expect(proxy.accepted).toBeGreaterThan(before);
});

test('a connection that goes silent ends as TIMEOUT and leaves no file', async () => {
  const target = workspace.path('silent');
  proxy.blackhole();
  await expect(
    downloadObject(client, ref('a b/ü.mp4'), target, { ...limits, timeoutMs: 50 }, never),
  ).rejects.toMatchObject({ code: 'TIMEOUT' });
  await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([
  ['OBJECT_NOT_FOUND', ref('missing')],
  ['OBJECT_EMPTY', ref('empty')],
  ['OBJECT_CHANGED', ref('a b/ü.mp4', { etag: '0123456789abcdef0123456789abcdef' })],
])('%s is permanent', async (code, object) => {
  await expect(downloadObject(client, object, workspace.path('bad'), limits, never)).rejects.toMatchObject({
    code,
    class: 'permanent',
  });
});

test('an object over the limit is refused before a byte is fetched', async () => {
  await expect(headObject(client, ref('a b/ü.mp4'), { ...limits, maxBytes: 10 }, never)).rejects.toMatchObject({
    code: 'OBJECT_TOO_LARGE',
  });
});

test.each([
  [403, 'OBJECT_FORBIDDEN'],
  [503, 'SERVICE_UNAVAILABLE'],
])('HTTP %i of S3 means %s', async (status, code) => {
  proxy.respond(status);
  await expect(headObject(client, ref('a b/ü.mp4'), limits, never)).rejects.toMatchObject({ code });
});

test('an upload overwrites', async () => {
  for (const text of ['one', 'two']) {
    await uploadFile(client, { bucket: 'videos', key: 'image', contentType: 'image/jpeg' }, Buffer.from(text), never);
  }
  const back = await client.send(new GetObjectCommand({ Bucket: 'videos', Key: 'image' }));
  expect(await back.Body?.transformToString()).toBe('two');
});
