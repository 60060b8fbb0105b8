import { expect, test } from '@jest/globals';
import { toFailure } from '../../../src/failure/classify.ts';
import { withRetries } from '../../../src/failure/retry.ts';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import { retryDelaySeconds } from '../../../src/failure/retry-delay.ts';

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
  [new Error('nobody knows'), 'UNKNOWN'],
  ['a string', 'UNKNOWN'],
  [undefined, 'UNKNOWN'],
])('%p is %s', (error, code) => {
  const failure = toFailure(error);
  expect(failure.code).toBe(code);
  expect(failure.cause).toBe(error);
});

test('an operation that fails twice for a while succeeds the third time', async () => {
  let calls = 0;
  const value = await withRetries(
    async () => {
      calls += 1;
      if (calls < 3) throw coded('ECONNRESET');
      return calls;
    },
    { signal: new AbortController().signal, baseMs: 1 },
  );
  expect(value).toBe(3);
});

test('a permanent failure is not tried again, a temporary one four times', async () => {
  const signal = new AbortController().signal;
  let calls = 0;
  const fail = (error: Error) => async (): Promise<never> => {
    calls += 1;
    throw error;
  };
  await expect(withRetries(fail(named('NoSuchKey')), { signal, baseMs: 1 })).rejects.toMatchObject({
    code: 'OBJECT_NOT_FOUND',
  });
  expect(calls).toBe(1);
  calls = 0;
  await expect(withRetries(fail(coded('EPIPE')), { signal, baseMs: 1 })).rejects.toBeInstanceOf(Failure);
  expect(calls).toBe(4);
});

test('each wait has its own jitter, doubles with the attempts and keeps its cap', async () => {
  const waits: number[] = [];
  const draws = [0, 1, 0.5];
  const failing = withRetries(() => Promise.reject(coded('EPIPE')), {
    signal: new AbortController().signal,
    maxMs: 9_000,
    random: () => draws.shift() ?? 0,
    wait: async (ms) => void waits.push(ms),
  });
  await expect(failing).rejects.toMatchObject({ code: 'NETWORK' });
  expect(waits).toEqual([2_000, 6_000, 9_000]);
});

test('the signal ends the wait between attempts with its reason', async () => {
  const controller = new AbortController();
  const reason = new Error('over');
  const waiting = withRetries(
    async () => {
      queueMicrotask(() => controller.abort(reason));
      throw coded('EPIPE');
    },
    { signal: controller.signal, baseMs: 60_000 },
  );
  await expect(waiting).rejects.toBe(reason);
});

test('pitfall 21: the delay grows with the receives, differs by class and is capped', () => {
  const network = new Failure('NETWORK', 'x');
  const throttled = new Failure('THROTTLED', 'x');
  expect([1, 2, 3, 50].map((count) => retryDelaySeconds(network, count, () => 1))).toEqual([15, 30, 60, 900]);
  expect(retryDelaySeconds(throttled, 1, () => 1)).toBe(30);
  expect(retryDelaySeconds(network, 1, () => 0)).toBe(8);
});
