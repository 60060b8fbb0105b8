import { z } from 'zod';
import { Failure } from '../../failure/failure.ts';
import { isDeeperThan, MAX_DEPTH } from './json-depth.ts';
import { headOf } from '../../text/bounded.ts';
import { outsideText } from '../../text/outside-text.ts';
import { isFolderKey, type Job, type JobPriority } from './job.ts';

export type ParsedMessage =
  | { readonly kind: 'jobs'; readonly jobs: readonly Job[] }
  | { readonly kind: 'ignored'; readonly reason: string };

/** String attributes of the message by name. */
export type StringAttributes = Readonly<Record<string, string>>;

/** The largest known form, an event of many records in an envelope, stays far below. */
export const MAX_BODY_BYTES = 262_144;
const MAX_KEY_BYTES = 1_024;
/** One more than any can have: what is longer is cut to that, and refused where references are checked. */
const REFUSED_LENGTH = { bucket: 256, versionId: 1_025, etag: 257 } as const;
const MAX_WRAPPINGS = 3;
/** S3 sends one. Each is a video under the lease of the one message. */
const MAX_RECORDS = 1_000;

/** Some senders put the bucket's ARN where its name belongs. */
const bucket = z
  .string()
  .transform((text) => text.replace(/^arn:aws[\w-]*:s3:::/, ''))
  .pipe(z.string().min(1));
const key = z.string().min(1);
/** What the database can keep and find again: no NUL, and short enough for an index. */
const ID = /^[^\0]{1,500}$/;
const id = z.union([z.literal(''), z.string().regex(ID), z.number().int()]).transform(String);
/** Stores that keep no versions send empty texts; a dash stands for nothing in logs that events are made from. */
const tag = z
  .string()
  .nullish()
  .transform((text) => {
    const bare = text?.replaceAll('"', '').trim() ?? '';
    return bare === '' || bare === '-' ? null : bare;
  });
const size = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => (value === null || value === undefined || value === '' ? null : Number(value)))
  .catch(null);

const backendSchema = z.looseObject({
  eventType: z.literal('video-uploaded'),
  s3: z.looseObject({ bucket, key }),
  video: z.looseObject({ id: id.nullish() }).nullish(),
  processing: z.looseObject({ priority: z.unknown() }).nullish(),
});
const recordSchema = z.looseObject({
  eventName: z.string(),
  s3: z.looseObject({
    bucket: z.looseObject({ name: bucket }),
    object: z.looseObject({
      key,
      size,
      eTag: tag,
      versionId: tag,
    }),
  }),
});
const eventSchema = z.looseObject({ Records: z.array(z.unknown()).min(1) });
const eventBridgeSchema = z.looseObject({
  'detail-type': z.string(),
  detail: z.looseObject({
    bucket: z.looseObject({ name: bucket }),
    object: z.looseObject({
      key,
      size,
      etag: tag,
      'version-id': tag,
    }),
  }),
});
const flatSchema = z.looseObject({ bucket, key });

/**
 * Reads every known form of a "video was uploaded" message. Throws a permanent `Failure` (MESSAGE_*) for anything else.
 */
export function parseMessage(body: string, attributes: StringAttributes = {}): ParsedMessage {
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BODY_BYTES) {
    throw new Failure('MESSAGE_TOO_LARGE', `the message body has ${bytes} bytes, accepted are ${MAX_BODY_BYTES}`, {
      details: { bytes },
    });
  }
  return parseValue(parseJson(body), attributes, 0);
}

function parseValue(value: unknown, attributes: StringAttributes, depth: number): ParsedMessage {
  if (!isRecord(value)) throw unknownShape('the body is not a JSON object');
  if (value['Event'] === 's3:TestEvent') return { kind: 'ignored', reason: 'the test event of S3' };
  if (value['Type'] === 'Notification' && typeof value['Message'] === 'string') {
    if (depth >= MAX_WRAPPINGS) throw unknownShape('more envelopes inside each other than accepted');
    return parseValue(parseJson(value['Message']), attributes, depth + 1);
  }
  if ('Records' in value) return parseS3Event(value);
  if ('detail-type' in value) return parseEventBridge(value);
  if ('eventType' in value) return parseBackend(value, attributes);
  if ('bucket' in value || 'key' in value) {
    const flat = check(flatSchema, value, 'the flat message');
    return jobs([job({ bucket: flat.bucket, key: flat.key, source: 'legacy', videoId: attributeId(attributes) })]);
  }
  throw unknownShape(`none of the known forms; its fields are ${fieldsOf(value)}`);
}

function parseBackend(value: unknown, attributes: StringAttributes): ParsedMessage {
  if (isRecord(value) && value['eventType'] !== 'video-uploaded') {
    throw unknownShape(`the eventType is not video-uploaded`);
  }
  const message = check(backendSchema, value, 'the backend message');
  return jobs([
    job({
      bucket: message.s3.bucket,
      key: message.s3.key,
      source: 'backend',
      videoId: message.video?.id || attributeId(attributes),
      priority: toPriority(message.processing?.priority),
    }),
  ]);
}

function parseS3Event(value: unknown): ParsedMessage {
  const event = check(eventSchema, value, 'the S3 event');
  const { length: records } = event.Records;
  if (records > MAX_RECORDS) {
    throw new Failure('MESSAGE_TOO_LARGE', `the S3 event has ${records} records, accepted are ${MAX_RECORDS}`, {
      details: { records },
    });
  }
  const found: Job[] = [];
  let folders = 0;
  for (const [index, raw] of event.Records.entries()) {
    if (isRecord(raw) && typeof raw['eventName'] === 'string' && !isCreation(raw['eventName'])) continue;
    const record = check(recordSchema, raw, `record ${index} of the S3 event`);
    const { object } = record.s3;
    const decoded = decodeKey(object.key);
    if (isFolder(decoded, object.size)) {
      folders += 1;
      continue;
    }
    found.push(
      job({
        bucket: record.s3.bucket.name,
        key: decoded,
        versionId: object.versionId,
        etag: object.eTag,
        source: 's3-event',
      }),
    );
  }
  if (found.length > 0) return jobs(found);
  return { kind: 'ignored', reason: folders > 0 ? FOLDER : 'no record tells of a new object' };
}

/** The key of an EventBridge event is not form-encoded: a plus in it is a plus. */
function parseEventBridge(value: unknown): ParsedMessage {
  if (isRecord(value) && typeof value['detail-type'] === 'string' && /^Object (?!Created)/.test(value['detail-type'])) {
    return { kind: 'ignored', reason: `EventBridge tells "${outsideText(value['detail-type'], 40)}"` };
  }
  const event = check(eventBridgeSchema, value, 'the EventBridge event');
  if (event['detail-type'] !== 'Object Created') throw unknownShape('an EventBridge event that S3 did not send');
  const { object } = event.detail;
  if (isFolder(object.key, object.size)) return { kind: 'ignored', reason: FOLDER };
  return jobs([
    job({
      bucket: event.detail.bucket.name,
      key: object.key,
      versionId: object['version-id'],
      etag: object.etag,
      source: 's3-event',
    }),
  ]);
}

function job(facts: Partial<Job> & Pick<Job, 'bucket' | 'key' | 'source'>): Job {
  if (Buffer.byteLength(facts.key) > MAX_KEY_BYTES) {
    throw new Failure('MESSAGE_KEY_UNDECODABLE', `the object key is longer than the ${MAX_KEY_BYTES} bytes of S3`);
  }
  const { bucket, versionId = null, etag = null } = facts;
  return {
    videoId: null,
    priority: 'normal',
    ...facts,
    bucket: headOf(bucket, REFUSED_LENGTH.bucket),
    versionId: versionId === null ? null : headOf(versionId, REFUSED_LENGTH.versionId),
    etag: etag === null ? null : headOf(etag, REFUSED_LENGTH.etag),
  };
}

const FOLDER = 'the mark of a folder';

/** Where the message does not tell the size, the job finds out. */
function isFolder(decodedKey: string, sizeBytes: number | null): boolean {
  return sizeBytes === 0 && isFolderKey(decodedKey);
}

function jobs(found: readonly Job[]): ParsedMessage {
  return { kind: 'jobs', jobs: found };
}

function isCreation(eventName: string): boolean {
  return /^(s3:)?ObjectCreated:/.test(eventName);
}

function attributeId(attributes: StringAttributes): string | null {
  const value = attributes['video_id'];
  if (value === undefined || value === '') return null;
  return check(z.string().regex(ID), value, 'the attribute video_id');
}

function toPriority(text: unknown): JobPriority {
  return text === 'high' || text === 'low' ? text : 'normal';
}

/** Decoded exactly once: a key may itself contain a percent sign. */
function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (error) {
    throw new Failure('MESSAGE_KEY_UNDECODABLE', 'the object key of the S3 event is not form-encoded text', {
      cause: error,
    });
  }
}

function parseJson(body: string): unknown {
  if (isDeeperThan(body, MAX_DEPTH)) throw unknownShape(`nested deeper than ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    throw new Failure('MESSAGE_NOT_JSON', `the message body is not JSON${whereIn(error)}`);
  }
}

/** Where the parser stopped. The rest of its words is a piece of the body, cut anywhere: half of a secret looks like no secret. */
function whereIn(error: unknown): string {
  const position = error instanceof SyntaxError ? /at position (\d{1,9})/.exec(error.message)?.[1] : undefined;
  return position === undefined ? '' : `: it breaks at position ${position}`;
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? '' : outsideText(`${issue.path.map(String).join('.')}: ${issue.message}`);
  throw new Failure('MESSAGE_FIELD_MISSING', `${what} lacks a field or has one of the wrong type: ${where}`);
}

function fieldsOf(value: object): string {
  const names = Object.keys(value).slice(0, 8);
  return names.map((name) => outsideText(name, 40)).join(', ') || 'none';
}

function unknownShape(why: string): Failure {
  return new Failure('MESSAGE_UNKNOWN_SHAPE', `the message has an unknown shape: ${why}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
