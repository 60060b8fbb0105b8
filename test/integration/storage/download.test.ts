import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { lstat, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { downloadObject, headObject, type DownloadLimits } from '../../../src/storage/download.ts';
import { RETRY_POLICIES } from '../../../src/failure/retry.ts';
import { uploadFile } from '../../../src/storage/upload-file.ts';
import { createWorkspace } from '../../../src/storage/work-folder.ts';
import type { Workspace } from '../../../src/storage/workspace.ts';
import { createFaultProxy, type FaultProxy } from '../../harness/fault-proxy.ts';
import { startSqsServer } from '../../harness/fauxqs-server.ts';
import { localS3 } from '../../harness/local-aws.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const limits: DownloadLimits = {
  maxBytes: 5_000_000,
  timeoutMs: 30_000,
  retry: { ...RETRY_POLICIES.download, baseMs: 5 },
};
const content = randomBytes(2_000_000);
const held = new AsyncDisposableStack();
let proxy: FaultProxy;
let client: S3Client;
let folder: TemporaryFolder;
let workspace: Workspace;

const ref = (key: string, change: object = {}) => ({ bucket: 'videos', key, versionId: null, etag: null, ...change });

beforeAll(async () => {
  const { server } = held.use(await startSqsServer());
  proxy = held.use(await createFaultProxy('127.0.0.1', server.port));
  client = held.adopt(createClient(), (made) => made.destroy());
  folder = held.use(await temporaryFolder('download'));
  workspace = await createWorkspace(folder.path, 'download');
  await client.send(new CreateBucketCommand({ Bucket: 'videos' }));
  await client.send(new PutObjectCommand({ Bucket: 'videos', Key: 'a b/ü.mp4', Body: content }));
  await client.send(new PutObjectCommand({ Bucket: 'videos', Key: 'empty', Body: new Uint8Array() }));
});
afterEach(() => proxy.heal());
afterAll(async () => {
  await workspace.dispose();
  await workspace.dispose();
  await held.disposeAsync();
});

test('an object arrives whole in a private workspace', async () => {
  const target = workspace.path('whole');
  const head = await headObject(client, ref('a b/ü.mp4'), limits, never);
  expect(head).toMatchObject({ bucket: 'videos', key: 'a b/ü.mp4', sizeBytes: content.length });
  await downloadObject(client, head, target, limits, never);
  expect((await readFile(target)).equals(content)).toBe(true);
  expect((await stat(workspace.directory)).mode & 0o777).toBe(0o700);
});

test('a connection that is cut midway is resumed by range, pinned to the object that was first seen', async () => {
  const target = workspace.path('resumed');
  // Connections of its own: the proxy counts the bytes of each from its start.
  const fresh = createClient();
  const head = await headObject(client, ref('a b/ü.mp4'), limits, never);
  const requests = recordGets(fresh);
  proxy.holdAfterBytes(900_000);
  const before = proxy.accepted;
  const downloading = downloadObject(fresh, head, target, limits, never);
  // A reset throws away what was sent and not read yet: cut when some of it has got as far as the file.
  await untilBytes(target);
  proxy.heal();
  proxy.cut();
  await downloading;
  fresh.destroy();
  expect((await readFile(target)).equals(content)).toBe(true);
  expect(proxy.accepted).toBeGreaterThan(before);
  expect(requests).toHaveLength(2);
  const [first, second] = requests;
  expect(first?.range).toBeUndefined();
  const from = Number(/^bytes=(\d+)-$/.exec(second?.range ?? '')?.[1]);
  expect(from).toBeGreaterThan(0);
  expect(from).toBeLessThanOrEqual(900_000);
  expect(second?.ifMatch).toBe(first?.ifMatch);
  expect(second?.ifMatch).toMatch(/^"[0-9a-f]{32}"$/);
});

test('a connection that goes silent ends as TIMEOUT and leaves no file', async () => {
  const target = workspace.path('silent');
  const head = await headObject(client, ref('a b/ü.mp4'), limits, never);
  proxy.blackhole();
  const hasty = { ...limits, timeoutMs: 50 };
  await expect(downloadObject(client, head, target, hasty, never)).rejects.toMatchObject({ code: 'TIMEOUT' });
  await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('an object that is another one, or gone, since HEAD saw it is never taken for it, and leaves no file', async () => {
  const target = workspace.path('changed');
  const object = { Bucket: 'videos', Key: 'changing' };
  await client.send(new PutObjectCommand({ ...object, Body: 'first' }));
  const head = await headObject(client, ref('changing'), limits, never);
  await client.send(new PutObjectCommand({ ...object, Body: 'other' }));
  await expect(downloadObject(client, head, target, limits, never)).rejects.toMatchObject({ code: 'OBJECT_CHANGED' });
  await client.send(new DeleteObjectCommand(object));
  await expect(downloadObject(client, head, target, limits, never)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([
  ['OBJECT_NOT_FOUND', ref('missing')],
  ['BUCKET_NOT_FOUND', ref('any.mp4', { bucket: 'no-such-bucket' })],
  ['OBJECT_EMPTY', ref('empty')],
  ['OBJECT_CHANGED', ref('a b/ü.mp4', { etag: '0123456789abcdef0123456789abcdef' })],
])('%s is permanent', async (code, object) => {
  await expect(headObject(client, object, limits, never)).rejects.toMatchObject({ code, class: 'permanent' });
});

test.each<[string, object]>([
  ['BUCKET_NOT_FOUND', { bucket: 'a/b' }],
  ['BUCKET_NOT_FOUND', { bucket: 'arn:aws:s3:us-east-1:123456789012:accesspoint/x' }],
  ['BUCKET_NOT_FOUND', { bucket: 'b\r\nHost: evil' }],
  ['BUCKET_NOT_FOUND', { bucket: 'http://169.254.169.254/latest' }],
  ['BUCKET_NOT_FOUND', { bucket: 'x'.repeat(300) }],
  ['MESSAGE_KEY_UNDECODABLE', { key: 'a\uDFFFb' }],
  ['MESSAGE_KEY_UNDECODABLE', { key: 'a\0b' }],
  ['OBJECT_NOT_FOUND', { versionId: 'v\r\nx: y' }],
  ['OBJECT_CHANGED', { etag: 'e\u{1F3AC}' }],
])('%s: a reference that no object can have is refused before a request is made: %j', async (code, change) => {
  const before = proxy.accepted;
  const fresh = createClient();
  await expect(headObject(fresh, ref('x', change), limits, never)).rejects.toMatchObject({ code, class: 'permanent' });
  fresh.destroy();
  expect(proxy.accepted).toBe(before);
});

test('an object over the limit is refused before a byte is fetched', async () => {
  await expect(headObject(client, ref('a b/ü.mp4'), { ...limits, maxBytes: 10 }, never)).rejects.toMatchObject({
    code: 'OBJECT_TOO_LARGE',
  });
});

test.each([
  // Without a word of S3 it is whoever stands before it.
  [403, 'STORE_MISCONFIGURED'],
  [404, 'STORE_MISCONFIGURED'],
  [503, 'SERVICE_UNAVAILABLE'],
])('HTTP %i and nothing else means %s', async (status, code) => {
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

test('a link in the place of the file is never written through, at the start of a download and where it goes on', async () => {
  const target = workspace.path('linked');
  const victim = folder.at('victim');
  await writeFile(victim, 'precious');
  await symlink(victim, target);
  const fresh = createClient();
  const head = await headObject(fresh, ref('a b/ü.mp4'), limits, never);
  proxy.holdAfterBytes(900_000);
  const downloading = downloadObject(fresh, head, target, limits, never).catch((error: unknown) => error);
  await untilBytes(target);
  // Somebody swaps it midway.
  await rm(target);
  await symlink(victim, target);
  proxy.heal();
  proxy.cut();
  expect(await downloading).toMatchObject({ code: 'HOST_FAULT' });
  fresh.destroy();
  expect(await readFile(victim, 'utf8')).toBe('precious');
});

async function untilBytes(path: string): Promise<void> {
  const size = (): Promise<number> =>
    lstat(path).then(
      (file) => (file.isFile() ? file.size : 0),
      () => 0,
    );
  while ((await size()) === 0) await new Promise((next) => setImmediate(next));
}

function createClient(): S3Client {
  return localS3({ endpoint: `http://127.0.0.1:${proxy.port}`, maxAttempts: 1 });
}

interface SentGet {
  readonly range: string | undefined;
  readonly ifMatch: string | undefined;
}

/** Collects the headers of each GET of an object as they go on the wire. */
function recordGets(s3: S3Client): SentGet[] {
  const sent: SentGet[] = [];
  s3.middlewareStack.add(
    (next) => (args) => {
      const { method, headers } = args.request as { method: string; headers: Record<string, string> };
      const header = (name: string): string | undefined =>
        Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
      if (method === 'GET') sent.push({ range: header('range'), ifMatch: header('if-match') });
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'recordGets' },
  );
  return sent;
}
