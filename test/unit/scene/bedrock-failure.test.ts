import { expect, test } from '@jest/globals';
import { bedrockFailure } from '../../../src/scene/bedrock-failure.ts';

const settings = { modelId: 'a-model', region: 'eu-west-1', timeoutMs: 20_000 };
const meaning = (error: unknown): ReturnType<typeof bedrockFailure> =>
  bedrockFailure(error, { timedOut: false, settings });
const named = (name: string, extra: object = {}): Error => Object.assign(new Error('x'), { name }, extra);
const status = (httpStatusCode: number): Error => named('Odd', { $metadata: { httpStatusCode } });
const coded = (code: string): Error => Object.assign(new Error('x'), { code });

test.each([
  [coded('ECONNREFUSED'), 'NETWORK'],
  [coded('ECONNABORTED'), 'NETWORK'],
  [coded('ENETDOWN'), 'NETWORK'],
  [coded('ERR_STREAM_PREMATURE_CLOSE'), 'NETWORK'],
  [coded('ETIMEDOUT'), 'TIMEOUT'],
  [new Error('outer', { cause: coded('ECONNRESET') }), 'NETWORK'],
  [named('TimeoutError', { code: 'ECONNRESET' }), 'TIMEOUT'],
  [named('ThrottlingException'), 'THROTTLED'],
  [named('ServiceQuotaExceededException'), 'THROTTLED'],
  [named('ModelNotReadyException'), 'SERVICE_UNAVAILABLE'],
  [named('ModelTimeoutException'), 'SERVICE_UNAVAILABLE'],
  [named('ServiceUnavailableException'), 'SERVICE_UNAVAILABLE'],
  [named('InternalServerException'), 'SERVICE_UNAVAILABLE'],
  [named('AccessDeniedException', { $metadata: { httpStatusCode: 403 } }), 'CREDENTIALS'],
  [named('InvalidSignatureException'), 'CREDENTIALS'],
  [status(429), 'THROTTLED'],
  [status(500), 'SERVICE_UNAVAILABLE'],
  // What S3 would say of an object says nothing of a model, and must not reject a video for good.
  [named('NotFound', { $metadata: { httpStatusCode: 404 } }), 'SCENE_FAILED'],
  [named('AccessDenied', { $metadata: { httpStatusCode: 403 } }), 'SCENE_FAILED'],
  [status(412), 'SCENE_FAILED'],
  [named('ValidationException', { $metadata: { httpStatusCode: 400 } }), 'SCENE_FAILED'],
  [named('constructor'), 'SCENE_FAILED'],
])('%p is %s', (error, code) => {
  const failure = meaning(error);
  expect(failure.code).toBe(code);
  expect(failure.cause).toBe(error);
  expect(failure.message).toContain('Bedrock model a-model in eu-west-1');
});

test('our own limit is a timeout, whatever the client makes of the abort', () => {
  const error = named('AbortError');
  const failure = bedrockFailure(error, { timedOut: true, settings });
  expect(failure).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('20000 ms') });
  expect(failure.cause).toBe(error);
});

test('what is no error becomes a failure too', () => {
  expect(meaning('text')).toMatchObject({ code: 'SCENE_FAILED', cause: 'text' });
});
