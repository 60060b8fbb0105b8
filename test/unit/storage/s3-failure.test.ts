import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { classifyS3Error } from '../../../src/storage/s3-failure.ts';

const ref = { bucket: 'videos', key: 'a.mp4' };
const named = (name: string, extra: object = {}): Error => Object.assign(new Error('x'), { name }, extra);
const status = (httpStatusCode: number): Error => named('Odd', { $metadata: { httpStatusCode } });
const coded = (code: string): Error => Object.assign(new Error('x'), { code });

test.each([
  [named('NoSuchKey'), 'OBJECT_NOT_FOUND'],
  [named('NoSuchBucket'), 'BUCKET_NOT_FOUND'],
  [named('PermanentRedirect'), 'STORE_MISCONFIGURED'],
  [named('InvalidArgument'), 'OBJECT_NOT_FOUND'],
  [named('AccessDenied'), 'OBJECT_FORBIDDEN'],
  [named('AllAccessDisabled'), 'OBJECT_FORBIDDEN'],
  [named('PreconditionFailed'), 'OBJECT_CHANGED'],
  [named('InvalidToken'), 'CREDENTIALS'],
  [named('SlowDown'), 'THROTTLED'],
  [named('InternalError'), 'SERVICE_UNAVAILABLE'],
  [named('TimeoutError', { code: 'ECONNRESET' }), 'TIMEOUT'],
  [status(403), 'OBJECT_FORBIDDEN'],
  [status(404), 'OBJECT_NOT_FOUND'],
  [status(412), 'OBJECT_CHANGED'],
  [status(429), 'THROTTLED'],
  [status(503), 'SERVICE_UNAVAILABLE'],
  [status(400), 'UNKNOWN'],
  [coded('ENETDOWN'), 'NETWORK'],
  [coded('ERR_STREAM_PREMATURE_CLOSE'), 'NETWORK'],
  [coded('ETIMEDOUT'), 'TIMEOUT'],
  [new Error('outer', { cause: coded('ECONNREFUSED') }), 'NETWORK'],
  [named('constructor'), 'UNKNOWN'],
  ['a string', 'UNKNOWN'],
])('%p is %s', (error, code) => {
  const failure = classifyS3Error(error, ref);
  expect(failure.code).toBe(code);
  expect(failure.cause).toBe(error);
  expect(failure.message).toMatch(/^s3:\/\/videos\/a\.mp4: /);
});

test("S3's own word and status go along", () => {
  const error = named('Odd', { $metadata: { httpStatusCode: 400 } });
  expect(classifyS3Error(error, ref).details).toEqual({ s3Code: 'Odd', httpStatus: 400 });
  const wrapped = new Error('outer', { cause: coded('EPIPE') });
  expect(classifyS3Error(wrapped, ref).details).toEqual({ s3Code: 'EPIPE', httpStatus: null });
});

test('S3 is quoted: its code, its sentence, and the region that it names', () => {
  const redirect = named('PermanentRedirect', {
    message: 'must be addressed using the specified endpoint.',
    Region: 'eu-west-1',
    $metadata: { httpStatusCode: 301 },
  });
  const failure = classifyS3Error(redirect, ref);
  expect(failure.message).toBe(
    's3://videos/a.mp4: PermanentRedirect: must be addressed using the specified endpoint. (the bucket is in eu-west-1: check AWS_REGION and AWS_ENDPOINT_URL)',
  );
  expect(failure.details).toEqual({ s3Code: 'PermanentRedirect', httpStatus: 301, bucketRegion: 'eu-west-1' });
  const silent = named('Unknown', { message: 'UnknownError', $metadata: { httpStatusCode: 400 } });
  expect(classifyS3Error(silent, ref).message).toBe('s3://videos/a.mp4: S3 answered with HTTP 400 and no reason');
});

test('a failure passes unchanged', () => {
  const failure = new Failure('DISK_FULL', 'x');
  expect(classifyS3Error(failure, ref)).toBe(failure);
});
