import { describe, expect, test } from '@jest/globals';
import { checkReference } from '../../../../src/storage/object-ref.ts';
import { Failure } from '../../../../src/failure/failure.ts';
import { MAX_BODY_BYTES, parseMessage } from '../../../../src/queue/messages/parse-message.ts';

const record = (key: string, eventName = 'ObjectCreated:Put') => ({
  eventName,
  eventTime: '2025-12-29T00:00:00Z',
  s3: { bucket: { name: 'b' }, object: { key, size: 5, eTag: '"e"', versionId: 'v' } },
});

function keys(body: unknown): string[] {
  const parsed = parseMessage(JSON.stringify(body));
  return parsed.kind === 'jobs' ? parsed.jobs.map((job) => job.key) : [];
}

function codeOf(body: string): string {
  try {
    parseMessage(body);
    return 'none';
  } catch (error) {
    return error instanceof Failure ? error.code : 'not a failure';
  }
}

test('the backend message gives its id, number or text, and its priority', () => {
  const body = {
    eventType: 'video-uploaded',
    timestamp: '2025-12-29T00:00:00Z',
    s3: { bucket: 'b', key: 'a+b.mp4' },
    video: { id: 7, status: 'pending' },
    processing: { requestTime: 'x', priority: 'high' },
    more: true,
  };
  expect(parseMessage(JSON.stringify(body))).toEqual({
    kind: 'jobs',
    jobs: [
      {
        bucket: 'b',
        key: 'a+b.mp4',
        versionId: null,
        etag: null,
        videoId: '7',
        priority: 'high',
        source: 'backend',
      },
    ],
  });
});

test('the id of the backend message falls back to the attribute', () => {
  const body = JSON.stringify({
    eventType: 'video-uploaded',
    s3: { bucket: 'b', key: 'k' },
    video: { status: 'pending' },
  });
  const parsed = parseMessage(body, { video_id: '12' });
  expect(parsed.kind === 'jobs' && parsed.jobs[0]?.videoId).toBe('12');
});

test.each<[string, unknown, string | undefined]>([
  ['has a NUL, which no database keeps', 'a\0b', undefined],
  ['is too long to be looked up', 'x'.repeat(501), undefined],
  ['is too long as an attribute', undefined, 'x'.repeat(501)],
])('an id that %s is refused', (_what, videoId, attribute) => {
  const body = JSON.stringify({
    eventType: 'video-uploaded',
    s3: { bucket: 'b', key: 'k' },
    ...(videoId === undefined ? {} : { video: { id: videoId } }),
  });
  const parse = (): unknown => parseMessage(body, attribute === undefined ? {} : { video_id: attribute });
  expect(parse).toThrow(expect.objectContaining({ code: 'MESSAGE_FIELD_MISSING', class: 'permanent' }));
});

test('pitfall 29: the test event of S3 is ignored', () => {
  expect(parseMessage('{"Service":"Amazon S3","Event":"s3:TestEvent"}').kind).toBe('ignored');
});

test('pitfall 30: the key of an S3 event is form-decoded exactly once', () => {
  expect(keys({ Records: [record('a+b%2Bc%2525.mp4')] })).toEqual(['a b+c%25.mp4']);
  expect(codeOf(JSON.stringify({ Records: [record('%E0%A4%A')] }))).toBe('MESSAGE_KEY_UNDECODABLE');
});

test('pitfall 31: several records, the SNS envelope and EventBridge', () => {
  const event = { Records: [record('1'), record('gone', 'ObjectRemoved:Delete'), record('2')] };
  expect(keys(event)).toEqual(['1', '2']);
  expect(keys({ Type: 'Notification', Message: JSON.stringify(event) })).toEqual(['1', '2']);
  const bridged = {
    'detail-type': 'Object Created',
    detail: { bucket: { name: 'b' }, object: { key: 'a+b', size: 1 } },
  };
  expect(keys(bridged)).toEqual(['a+b']);
});

test('pitfall 32: an event that only tells of removals is ignored', () => {
  expect(parseMessage(JSON.stringify({ Records: [record('x', 'ObjectRemoved:Delete')] })).kind).toBe('ignored');
});

describe('pitfall 33: what cannot work is refused with its own code', () => {
  test.each([
    ['not json', 'MESSAGE_NOT_JSON'],
    ['[]', 'MESSAGE_UNKNOWN_SHAPE'],
    ['null', 'MESSAGE_UNKNOWN_SHAPE'],
    ['{}', 'MESSAGE_UNKNOWN_SHAPE'],
    ['{"eventType":"other"}', 'MESSAGE_UNKNOWN_SHAPE'],
    ['{"Records":[]}', 'MESSAGE_FIELD_MISSING'],
    ['{"Records":[{"eventName":"ObjectCreated:Put","s3":{}}]}', 'MESSAGE_FIELD_MISSING'],
    ['{"bucket":"b","key":""}', 'MESSAGE_FIELD_MISSING'],
    ['{"bucket":"b"}', 'MESSAGE_FIELD_MISSING'],
    [JSON.stringify({ bucket: 'b', key: 'k'.repeat(1_025) }), 'MESSAGE_KEY_UNDECODABLE'],
    [' '.repeat(MAX_BODY_BYTES + 1), 'MESSAGE_TOO_LARGE'],
  ])('%.40s', (body, code) => {
    expect(codeOf(body)).toBe(code);
  });
});

describe('what stores other than S3 send', () => {
  const event = (object: object, more: object = {}): string =>
    JSON.stringify({
      Records: [
        {
          eventVersion: '2.2',
          eventSource: 'ceph:s3',
          eventName: 'ObjectCreated:Put',
          s3: { bucket: { name: 'b' }, object: { key: 'a.mp4', ...object } },
          ...more,
        },
      ],
    });
  const bridged = (object: object): string =>
    JSON.stringify({
      'detail-type': 'Object Created',
      detail: { bucket: { name: 'b' }, object: { key: 'a.mp4', ...object } },
    });
  const jobOf = (body: string): unknown => {
    const parsed = parseMessage(body);
    return parsed.kind === 'jobs' ? parsed.jobs[0] : parsed;
  };

  test.each<[string, string]>([
    ['empty texts', event({ size: 5_346, eTag: '', versionId: '' })],
    ['nulls', event({ eTag: null, versionId: null })],
    ['quotes around nothing', event({ eTag: '""' })],
    ['dashes', event({ eTag: '-', versionId: '-' })],
    ['empty texts by EventBridge', bridged({ etag: '', 'version-id': '' })],
    ['nulls by EventBridge', bridged({ etag: null, 'version-id': null })],
  ])('%s in place of an ETag and a version mean that there is none', (_what, body) => {
    expect(jobOf(body)).toMatchObject({ etag: null, versionId: null });
  });

  test('a version that is called null is one: S3 keeps it so where versions were switched off', () => {
    expect(jobOf(event({ versionId: 'null', eTag: '"e-2"' }))).toMatchObject({ versionId: 'null', etag: 'e-2' });
  });

  test.each<[string, string]>([
    ['its ARN', JSON.stringify({ bucket: 'arn:aws:s3:::videos', key: 'a.mp4' })],
    ['its ARN in China', JSON.stringify({ bucket: 'arn:aws-cn:s3:::videos', key: 'a.mp4' })],
  ])('a bucket may be named by %s', (_what, body) => {
    expect(jobOf(body)).toMatchObject({ bucket: 'videos' });
  });

  test('an empty id or priority of the backend is none', () => {
    const body = {
      eventType: 'video-uploaded',
      s3: { bucket: 'b', key: 'k' },
      video: { id: '' },
      processing: { priority: null },
    };
    const parsed = parseMessage(JSON.stringify(body), { video_id: '12' });
    expect(parsed.kind === 'jobs' && parsed.jobs[0]).toMatchObject({ videoId: '12', priority: 'normal' });
  });

  test.each<[string, string]>([
    ['a folder', event({ key: 'videos/2026/', size: 0, eTag: 'd41d8cd98f00b204e9800998ecf8427e', sequencer: '00' })],
    ['a folder whose size is a text', event({ key: 'videos/2026/', size: '0' })],
    ['a folder with an encoded name', event({ key: 'a+b%2F', size: 0 })],
    ['a folder of a file system on S3', event({ key: 'videos_$folder$', size: 0 })],
    ['a folder by EventBridge', bridged({ key: 'videos/', size: 0 })],
    ['a folder in an envelope', JSON.stringify({ Type: 'Notification', Message: event({ key: 'videos/', size: 0 }) })],
  ])('the mark of %s is ignored', (_what, body) => {
    expect(parseMessage(body)).toEqual({ kind: 'ignored', reason: 'the mark of a folder' });
  });

  test.each<[string, string]>([
    ['has bytes', event({ key: 'videos/', size: 7 })],
    ['has a size that is not told', event({ key: 'videos/' })],
    ['has a size of the wrong type', event({ key: 'videos/', size: {} })],
  ])('what is called like a folder and %s is a job', (_what, body) => {
    expect(jobOf(body)).toMatchObject({ key: 'videos/' });
  });

  test('a folder beside objects is passed over', () => {
    const folder = { ...record('videos/'), s3: { bucket: { name: 'b' }, object: { key: 'videos/', size: 0 } } };
    expect(keys({ Records: [folder, record('1'), folder, record('2')] })).toEqual(['1', '2']);
  });
});

describe('what a message says of itself is bounded where it comes in', () => {
  const long = `password=Zq7hunter\u001b[2J ${'x'.repeat(200_000)}`;
  const refusal = (body: unknown, attributes?: Record<string, string>): Failure => {
    try {
      parseMessage(typeof body === 'string' ? body : JSON.stringify(body), attributes);
    } catch (error) {
      if (error instanceof Failure) return error;
    }
    throw new Error('the message was not refused');
  };

  test.each<[string, unknown]>([
    [
      'names of fields',
      Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}${long.slice(0, 20_000)}`, 1])),
    ],
    ['a type of event', { eventType: long }],
    ['a kind of detail', { 'detail-type': long, detail: { bucket: { name: 'b' }, object: { key: 'k' } } }],
    ['a record', { Records: [{ eventName: 'ObjectCreated:Put', [long]: 1 }] }],
    ['no JSON', `{"password":"Zq7hunter", ${long}`],
    ['no JSON, broken behind a secret', `{"a":1,"password":"Zq7hunter"Zq8`],
  ])('%s', (_name, body) => {
    const failure = refusal(body);
    expect(failure.message.length).toBeLessThan(800);
    expect(JSON.stringify([failure.message, failure.stack, failure.details, String(failure.cause)])).not.toMatch(/Zq/);
  });

  test('where the parser stopped is told, and no piece of the body', () => {
    expect(refusal('{"a":1').message).toBe('the message body is not JSON: it breaks at position 6');
    expect(refusal('').message).toBe('the message body is not JSON');
  });

  test('what no object can be called is cut to one more than any can, and refused where references are checked', () => {
    const parsed = parseMessage(JSON.stringify({ bucket: 'b'.repeat(200_000), key: 'k' }));
    const { bucket } = parsed.kind === 'jobs' ? parsed.jobs[0]! : { bucket: '' };
    expect(bucket).toHaveLength(256);
    const ref = { bucket, key: 'k', versionId: null, etag: null };
    expect(() => checkReference(ref)).toThrow(/no bucket can be called/);
    const object = { key: 'k', versionId: 'v'.repeat(100_000), eTag: 'e'.repeat(100_000) };
    const event = { Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'b' }, object } }] };
    const job = parseMessage(JSON.stringify(event));
    const { versionId, etag } = job.kind === 'jobs' ? job.jobs[0]! : { versionId: null, etag: null };
    expect([versionId?.length, etag?.length]).toEqual([1_025, 257]);
    expect(() => checkReference({ ...ref, bucket: 'b', versionId })).toThrow(/no version can be called so/);
    expect(() => checkReference({ ...ref, bucket: 'b', etag })).toThrow(/no object can have such an ETag/);
  });

  test('an event of more records than can be meant is refused before any is read', () => {
    const records = (count: number) => ({
      Records: Array.from({ length: count }, (_, index) => record(`${index}.mp4`)),
    });
    expect(keys(records(1_000))).toHaveLength(1_000);
    expect(refusal(records(1_001))).toMatchObject({ code: 'MESSAGE_TOO_LARGE', details: { records: 1_001 } });
  });

  test('a key as long as S3 takes it stays whole', () => {
    const key = `videos/${'é'.repeat(508)}`;
    expect(Buffer.byteLength(key)).toBe(1_023);
    const parsed = parseMessage(JSON.stringify({ bucket: 'b', key }));
    expect(parsed).toMatchObject({ jobs: [{ key, bucket: 'b', versionId: null, etag: null }] });
  });
});
