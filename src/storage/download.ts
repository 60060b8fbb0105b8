import { constants, lstat, open, rm, type FileHandle } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../failure/failure.ts';
import { RETRY_POLICIES, withRetries, type RetryPolicy } from '../failure/retry.ts';
import { clientIn, inBucketRegion, otherRegionIn } from './bucket-region.ts';
import { checkReference, nameOf, type ObjectRef } from './object-ref.ts';
import { classifyS3Error, statusOf } from './s3-failure.ts';
import { WRITTEN_BY } from './written-by.ts';
import { onDisk } from './on-disk.ts';

export type { ObjectRef } from './object-ref.ts';

export interface DownloadLimits {
  readonly maxBytes: number;
  /** For a request's answer, and the longest silence while bytes come. */
  readonly timeoutMs: number;
  /** Of a download that breaks off; RETRY_POLICIES.download when absent. */
  readonly retry?: RetryPolicy;
}

/** An object as S3 knows it: the very bytes that a download of it gets, or none. */
export interface ObjectHead extends ObjectRef {
  readonly sizeBytes: number;
  /** Of its bucket, where that is not the client's own. */
  readonly region: string | null;
  /** What its uploader left as `written-by`. */
  readonly writtenBy: string | null;
}

/** Asks S3 for an object's identity and size; refuses an empty or oversize one, or one that is no longer the one meant. */
export async function headObject(
  client: S3Client,
  ref: ObjectRef,
  limits: DownloadLimits,
  signal: AbortSignal,
): Promise<ObjectHead> {
  checkReference(ref);
  const idle = idleTimer(limits.timeoutMs, ref);
  try {
    const head = await inBucketRegion(client, async (regional) => {
      idle.touch();
      const answer = await askForHead(regional, ref, idle, AbortSignal.any([signal, idle.signal]));
      const region = regional === client ? null : await regional.config.region();
      return {
        bucket: ref.bucket,
        key: ref.key,
        etag: answer.ETag ?? null,
        versionId: answer.VersionId ?? null,
        sizeBytes: answer.ContentLength ?? 0,
        region,
        writtenBy: answer.Metadata?.[WRITTEN_BY] ?? null,
      };
    });
    // Not every S3 server honours If-Match on HEAD.
    if (ref.etag !== null && head.etag !== null && bare(ref.etag) !== bare(head.etag)) throw changed(ref);
    checkSize(ref, head.sizeBytes, limits.maxBytes);
    return head;
  } catch (error) {
    throw meaningOf(error, ref, idle.signal, signal);
  } finally {
    idle.stop();
  }
}

type HeadAnswer = Pick<HeadObjectCommandOutput, 'ETag' | 'VersionId' | 'ContentLength' | 'Metadata'>;

const EMPTY: HeadAnswer = { ETag: undefined, VersionId: undefined, ContentLength: 0, Metadata: undefined };

/**
 * An answer to HEAD has no body, and so no word of what is wrong: a missing bucket looks like a missing key, wrong credentials like an
 * object that is denied. Whenever it is refused, a GET of one byte is asked the same, and what that says decides.
 */
async function askForHead(client: S3Client, ref: ObjectRef, idle: IdleTimer, signal: AbortSignal): Promise<HeadAnswer> {
  try {
    return ofStore(await client.send(new HeadObjectCommand(inputOf(ref)), { abortSignal: signal }));
  } catch (error) {
    const status = statusOf(error);
    const isRefused = status !== null && status >= 300 && status < 500 && status !== 408 && status !== 429;
    // Where another region is named already, that is where to ask.
    if (!isRefused || (await otherRegionIn(client, error)) !== null) throw error;
  }
  idle.touch();
  return await askForFirstByte(client, ref, signal);
}

/** Every store names what it has by an ETag. Without one it is the page of a portal, and two contents of a key would be one job. */
function ofStore<T extends HeadAnswer>(answer: T): T {
  if (answer.ETag !== undefined && answer.ETag !== '') return answer;
  throw new Failure(
    'STORE_MISCONFIGURED',
    'what answers in the place of the store gives objects no ETag: check AWS_ENDPOINT_URL',
  );
}

async function askForFirstByte(client: S3Client, ref: ObjectRef, signal: AbortSignal): Promise<HeadAnswer> {
  try {
    const answer = await client.send(new GetObjectCommand({ ...inputOf(ref), Range: 'bytes=0-0' }), {
      abortSignal: signal,
    });
    if (answer.Body instanceof Readable) answer.Body.destroy();
    ofStore(answer);
    const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1];
    return { ...answer, ContentLength: total === undefined ? answer.ContentLength : Number(total) };
  } catch (error) {
    // There is no first byte.
    if (statusOf(error) === 416) return EMPTY;
    throw error;
  }
}

/**
 * Streams an object to a file. The very object that HEAD saw, or OBJECT_CHANGED: every request carries its ETag.
 * After a network error the download goes on where it stopped. A failed download leaves no file.
 */
export async function downloadObject(
  client: S3Client,
  head: ObjectHead,
  target: string,
  limits: DownloadLimits,
  signal: AbortSignal,
): Promise<void> {
  const regional = head.region === null ? client : clientIn(client, head.region);
  try {
    await onDisk('begin a download', () => rm(target, { force: true }));
    await withRetries(() => fetchRest(regional, { head, target }, limits.timeoutMs, signal), {
      signal,
      policy: limits.retry ?? RETRY_POLICIES.download,
    });
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

interface Transfer {
  readonly head: ObjectHead;
  readonly target: string;
}

async function fetchRest(client: S3Client, transfer: Transfer, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const { head: ref, target } = transfer;
  const { sizeBytes } = ref;
  const have = await lstat(target).then(
    (file) => file.size,
    () => 0,
  );
  if (have === sizeBytes) return;
  const idle = idleTimer(timeoutMs, ref);
  const either = AbortSignal.any([signal, idle.signal]);
  try {
    const range = have === 0 ? {} : { Range: `bytes=${have}-` };
    const answer = await client.send(new GetObjectCommand({ ...inputOf(ref), ...range }), { abortSignal: either });
    if (ref.etag !== null && answer.ETag !== undefined && bare(answer.ETag) !== bare(ref.etag)) throw changed(ref);
    if (!(answer.Body instanceof Readable)) throw new Failure('SERVICE_UNAVAILABLE', 'S3 answered without a body');
    // A server that ignores Range sends the whole object again: write from the start then.
    const start = have > 0 && answer.ContentRange?.startsWith(`bytes ${have}-`) === true ? have : 0;
    const body = answer.Body;
    let end = start;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        idle.touch();
        end += chunk.length;
        // The size cap holds against a server that sends more than it said.
        done(end > sizeBytes ? new Failure('OBJECT_CHANGED', `${nameOf(ref)} is longer than announced`) : null, chunk);
      },
    });
    await onDisk('download a video', async () => {
      const file = await openTarget(target, start).catch((error: unknown) => {
        body.destroy();
        throw error;
      });
      await pipeline(body, counted, file.createWriteStream(), { signal: either });
    });
    if (end < sizeBytes) {
      throw new Failure('NETWORK', `${nameOf(ref)}: the connection ended after ${end} of ${sizeBytes} bytes`);
    }
  } catch (error) {
    throw meaningOf(error, ref, idle.signal, signal);
  } finally {
    idle.stop();
  }
}

/** A file of our own making, new or the one that was begun: whatever else has its name is not written to, nor what a link leads to. */
async function openTarget(target: string, start: number): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  if (start > 0) return await open(target, O_WRONLY | O_APPEND | O_NOFOLLOW);
  await rm(target, { force: true });
  return await open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

function inputOf(ref: ObjectRef): { Bucket: string; Key: string; VersionId?: string; IfMatch?: string } {
  return {
    Bucket: ref.bucket,
    Key: ref.key,
    ...(ref.versionId === null ? {} : { VersionId: ref.versionId }),
    ...(ref.etag === null ? {} : { IfMatch: `"${bare(ref.etag)}"` }),
  };
}

/** Events carry the ETag bare, the API in quotes. */
function bare(etag: string): string {
  return etag.replaceAll('"', '');
}

function changed(ref: ObjectRef): Failure {
  return new Failure('OBJECT_CHANGED', `${nameOf(ref)} is not the object of the message any more`);
}

function checkSize(ref: ObjectRef, sizeBytes: number, maxBytes: number): void {
  const name = nameOf(ref);
  if (sizeBytes === 0) throw new Failure('OBJECT_EMPTY', `${name} has no bytes; upload it again`);
  if (sizeBytes > maxBytes) {
    throw new Failure('OBJECT_TOO_LARGE', `${name} has ${sizeBytes} bytes, at most ${maxBytes} are accepted`, {
      details: { sizeBytes, maxBytes },
    });
  }
}

function meaningOf(error: unknown, ref: ObjectRef, idle: AbortSignal, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return idle.aborted ? idle.reason : classifyS3Error(error, ref);
}

interface IdleTimer {
  readonly signal: AbortSignal;
  touch(): void;
  stop(): void;
}

function idleTimer(timeoutMs: number, ref: ObjectRef): IdleTimer {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Failure('TIMEOUT', `${nameOf(ref)}: nothing came for ${timeoutMs} ms`));
  }, timeoutMs);
  return { signal: controller.signal, touch: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}
