import { expect, test } from '@jest/globals';
import { FAILURE_CODES, type FailureCode } from '../../../src/failure/codes.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { RETRY_POLICIES, withRetries, type RetryPolicy } from '../../../src/failure/retry.ts';

const QUICK: RetryPolicy = { ...RETRY_POLICIES.default, baseMs: 1 };
const named = (name: string): Error => Object.assign(new Error('x'), { name });
const coded = (code: string): Error => Object.assign(new Error('x'), { code });

test('an operation that fails twice for a while succeeds the third time', async () => {
  let calls = 0;
  const value = await withRetries(
    async () => {
      calls += 1;
      if (calls < 3) throw coded('ECONNRESET');
      return calls;
    },
    { signal: new AbortController().signal, policy: QUICK },
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
  await expect(withRetries(fail(named('NoSuchKey')), { signal, policy: QUICK })).rejects.toMatchObject({
    code: 'OBJECT_NOT_FOUND',
  });
  expect(calls).toBe(1);
  calls = 0;
  const broken = coded('EPIPE');
  const failure: unknown = await withRetries(fail(broken), { signal, policy: QUICK }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).code).toBe('NETWORK');
  expect((failure as Failure).cause).toBe(broken);
  expect(calls).toBe(4);
});

test('each wait has its own jitter, doubles with the attempts and keeps its cap', async () => {
  const waits: number[] = [];
  const draws = [0, 1, 0.5];
  const failing = withRetries(() => Promise.reject(coded('EPIPE')), {
    signal: new AbortController().signal,
    policy: { ...RETRY_POLICIES.default, capMs: 9_000 },
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
    { signal: controller.signal, policy: { ...QUICK, baseMs: 60_000 } },
  );
  await expect(waiting).rejects.toBe(reason);
});

test.each([
  ['default', [2_000, 4_000, 8_000], [3_000, 6_000, 12_000]],
  ['download', [2_000, 4_000, 8_000], [3_000, 6_000, 12_000]],
  ['bedrock', [2_000, 4_000], [4_000, 8_000]],
] as const)('the policy %s waits between its shortest and its longest waits', async (name, shortest, longest) => {
  for (const [draw, expected] of [
    [0, shortest],
    [1, longest],
  ] as const) {
    const waits: number[] = [];
    const failing = withRetries(() => Promise.reject(new Failure('NETWORK', 'x')), {
      signal: new AbortController().signal,
      policy: RETRY_POLICIES[name],
      random: () => draw,
      wait: async (ms) => void waits.push(ms),
    });
    await expect(failing).rejects.toMatchObject({ code: 'NETWORK' });
    expect(waits).toEqual(expected);
  }
});

test('each policy tries again after what it takes for passing, and after nothing else', async () => {
  const triedAgain = async (policy: RetryPolicy): Promise<FailureCode[]> => {
    const codes: FailureCode[] = [];
    for (const code of Object.keys(FAILURE_CODES) as FailureCode[]) {
      let calls = 0;
      const operation = (): Promise<never> => {
        calls += 1;
        return Promise.reject(new Failure(code, 'x'));
      };
      const running = withRetries(operation, {
        signal: new AbortController().signal,
        policy,
        wait: async () => undefined,
      });
      await expect(running).rejects.toMatchObject({ code });
      expect([1, policy.retries + 1]).toContain(calls);
      if (calls > 1) codes.push(code);
    }
    return codes;
  };
  const services = ['NETWORK', 'TIMEOUT', 'THROTTLED', 'SERVICE_UNAVAILABLE', 'DATABASE_UNAVAILABLE'];
  const away = [...services, 'STORE_MISCONFIGURED', 'KMS_REFUSED'];
  const others = [
    'WORK_DIR_SPACE',
    'DECODER_INTERRUPTED',
    'READER_THREAD_DIED',
    'WORKER_LOST',
    'INTERRUPTED',
    'SCENE_FAILED',
    'UNKNOWN',
  ];
  const temporary = [...services, 'DATABASE_CONFLICT', 'RUN_SUPERSEDED', ...away.slice(services.length), ...others];
  expect(await triedAgain(RETRY_POLICIES.default)).toEqual(temporary);
  expect(await triedAgain(RETRY_POLICIES.download)).toEqual(temporary);
  expect(await triedAgain(RETRY_POLICIES.bedrock)).toEqual(away);
});
