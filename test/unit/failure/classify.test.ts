import { expect, test } from '@jest/globals';
import { toFailure } from '../../../src/failure/classify.ts';
import { Interruption } from '../../../src/failure/failure.ts';
import { errorEntry } from '../../../src/telemetry/error-entry.ts';

const named = (name: string, extra: object = {}): Error => Object.assign(new Error('x'), { name }, extra);
const coded = (code: string): Error => Object.assign(new Error('x'), { code });

test.each([
  [named('NoSuchKey'), 'OBJECT_NOT_FOUND'],
  [named('AccessDenied'), 'OBJECT_FORBIDDEN'],
  [named('SlowDown'), 'THROTTLED'],
  [named('AWS.SimpleQueueService.RequestThrottled'), 'THROTTLED'],
  [named('Odd', { $metadata: { httpStatusCode: 503 } }), 'SERVICE_UNAVAILABLE'],
  [named('CredentialsProviderError'), 'CREDENTIALS'],
  [coded('ECONNRESET'), 'NETWORK'],
  [coded('EPIPE'), 'NETWORK'],
  [coded('ETIMEDOUT'), 'TIMEOUT'],
  [coded('ENOSPC'), 'DISK_FULL'],
  [coded('ERR_WORKER_OUT_OF_MEMORY'), 'HOST_OUT_OF_MEMORY'],
  [coded('P1001'), 'DATABASE_UNAVAILABLE'],
  [coded('P2034'), 'DATABASE_CONFLICT'],
  [coded('40001'), 'DATABASE_CONFLICT'],
  [coded('57P01'), 'DATABASE_UNAVAILABLE'],
  [new Error('CUDA failure 2: out of memory'), 'CUDA_OUT_OF_MEMORY'],
  [new Error('outer', { cause: coded('ECONNREFUSED') }), 'NETWORK'],
  [new Error('outer', { cause: coded('P1001') }), 'DATABASE_UNAVAILABLE'],
  [new Error('outer', { cause: new Error('CUDA failure 100') }), 'GPU_LOST'],
  [new Error('outer', { cause: new Interruption('deadline', 'too long') }), 'JOB_DEADLINE'],
  [new AggregateError([coded('ECONNREFUSED')]), 'NETWORK'],
  [named('SuppressedError', { error: coded('ENOTEMPTY'), suppressed: named('NoSuchKey') }), 'OBJECT_NOT_FOUND'],
  [coded('ERR_MODULE_NOT_FOUND'), 'INSTALL_BROKEN'],
  [coded('MODULE_NOT_FOUND'), 'INSTALL_BROKEN'],
  [new Error('outer', { cause: coded('ERR_DLOPEN_FAILED') }), 'INSTALL_BROKEN'],
  [new SyntaxError("The requested module './a.js' does not provide an export named 'b'"), 'INSTALL_BROKEN'],
  [new SyntaxError('Unexpected end of JSON input'), 'UNKNOWN'],
  [new Error('nobody knows'), 'UNKNOWN'],
  ['a string', 'UNKNOWN'],
  [undefined, 'UNKNOWN'],
])('%p is %s', (error, code) => {
  const failure = toFailure(error);
  expect(failure.code).toBe(code);
  expect(failure.cause).toBe(error);
});

test('an error of the database says what can be done, whoever caught it', () => {
  expect(toFailure(named('PrismaClientKnownRequestError', { code: 'P2021' })).message).toContain(
    'video-worker db migrate',
  );
});

test('of a library that cannot be loaded stay its reason and what mends the install of the worker', () => {
  const words = [
    'Could not load the "sharp" module using the linux-x64 runtime',
    'ERR_DLOPEN_FAILED: libvips-cpp.so.8: cannot open shared object file',
    'Possible solutions:',
    '- Ensure optional dependencies can be installed:',
  ];
  expect(toFailure(new Error(words.join('\n')))).toMatchObject({
    code: 'INSTALL_BROKEN',
    class: 'system',
    message: `${words[0]}: ${words[1]}; the install is not whole: run scripts/setup again, or unpack the bundle anew`,
  });
});

test.each([
  [{ message: null }, 'Error'],
  [{ message: 7, name: {} }, 'an error without words'],
  [{ message: ['a'], name: 5 }, 'an error without words'],
  [{ message: {}, code: 'P1001' }, 'Error'],
  [{ message: null, code: 'ECONNRESET' }, 'Error'],
])('an error whose words are no text is classified all the same: %j', (fields, words) => {
  const failure = toFailure(Object.assign(new Error('x'), fields));
  expect(failure.message).toContain(words);
  expect(() => errorEntry(failure)).not.toThrow();
});

test('a field in the place of a class is no name of one', () => {
  const odd = Object.assign(new Error('x'), { constructor: null });
  expect(errorEntry(odd)).toMatchObject({ type: 'Error', message: 'x' });
});

test('a stack that throws when it is made is left out of the log', () => {
  const odd = Object.defineProperty(new Error('x'), 'stack', {
    get: () => {
      throw new TypeError('not now');
    },
  });
  expect(errorEntry(odd)).toMatchObject({ type: 'Error', message: 'x', stack: '' });
});
