import { describe, expect, test } from '@jest/globals';
import { FAILURE_CODES, type FailureClass, type FailureCode } from '../../../src/failure/codes.ts';
import { isAway } from '../../../src/failure/dependency.ts';
import { dispose } from '../../../src/failure/dispose.ts';
import { Failure, Interruption, type InterruptionKind } from '../../../src/failure/failure.ts';

const CODES = Object.keys(FAILURE_CODES) as FailureCode[];
const RECEIVES = [1, 2, 5, 100];
const KINDS = ['lease-lost', 'deadline', 'shutdown', 'host-interruption'] as const satisfies InterruptionKind[];
/** Fails to compile when a kind is missing above. */
const ALL_KINDS: Readonly<Record<InterruptionKind, true>> = {
  'lease-lost': true,
  deadline: true,
  shutdown: true,
  'host-interruption': true,
};
const END: Readonly<Record<FailureClass, 'retry' | 'reject' | 'halt'>> = {
  temporary: 'retry',
  permanent: 'reject',
  system: 'halt',
};
/** Seconds at each of RECEIVES without luck; what is not here waits like NETWORK. */
const LONGEST: Partial<Record<FailureCode, readonly number[]>> = {
  THROTTLED: [30, 60, 480, 1_800],
  SERVICE_UNAVAILABLE: [30, 60, 480, 1_800],
  DATABASE_UNAVAILABLE: [30, 60, 480, 900],
  DATABASE_CONFLICT: [5, 10, 80, 120],
  STORE_MISCONFIGURED: [30, 60, 480, 1_800],
  KMS_REFUSED: [30, 60, 480, 1_800],
  RUN_SUPERSEDED: [60, 120, 900, 900],
};
const USUAL = [15, 30, 240, 900];

const quiet = new AbortController().signal;
const most = (): number => 1;
const receive = (receiveCount: number, isLastReceive = false) => ({ receiveCount, isLastReceive });

test('the kinds below are all there are', () => {
  expect(Object.keys(ALL_KINDS)).toEqual(KINDS);
});

describe.each(CODES)('%s', (code) => {
  const failure = new Failure(code, 'x');

  test('ends as its class says, whatever the receives, and waits longer with each when it is temporary', () => {
    const ends = RECEIVES.map((count) => dispose(failure, quiet, receive(count), most));
    const kind = END[failure.class];
    expect(ends).toEqual(
      RECEIVES.map((_, index) =>
        kind === 'retry' ? { kind, afterSeconds: (LONGEST[code] ?? USUAL)[index], failure } : { kind, failure },
      ),
    );
    for (const end of ends) expect('failure' in end && end.failure).toBe(failure);
  });

  test('is told by its wrapper too', () => {
    expect(dispose(new Error('outer', { cause: failure }), quiet, receive(1))).toMatchObject({ failure });
  });

  test('under an aborted signal is only the echo of the interruption', () => {
    for (const kind of KINDS) {
      const reason = new Interruption(kind, 'stop');
      const end = dispose(failure, AbortSignal.abort(reason), receive(3));
      if (kind !== 'deadline') expect(end).toEqual({ kind: 'abandon', why: kind });
      else expect(end).toMatchObject({ kind: 'reject', failure: { code: 'JOB_DEADLINE', message: 'stop' } });
    }
  });
});

describe('at the last receive, after which the queue moves the message away without a word,', () => {
  const last = receive(5, true);

  test.each(CODES)('%s leaves its reason, unless it waits for what is away or stops the worker', (code) => {
    const failure = new Failure(code, 'x');
    const kind = failure.class === 'temporary' && !isAway(failure) ? 'reject' : END[failure.class];
    expect(dispose(failure, quiet, last)).toMatchObject({ kind, failure });
  });

  test.each(['shutdown', 'host-interruption'] as const)('an interruption by %s leaves its reason', (kind) => {
    const reason = new Interruption(kind, 'the worker stops');
    const end = dispose(new Error('reading', { cause: reason }), AbortSignal.abort(reason), last);
    expect(end).toMatchObject({ kind: 'reject', failure: { code: 'INTERRUPTED', message: 'the worker stops' } });
  });

  test('a lost lease leaves nothing: somebody else has the message', () => {
    const reason = new Interruption('lease-lost', 'gone');
    expect(dispose(reason, AbortSignal.abort(reason), last)).toEqual({ kind: 'abandon', why: 'lease-lost' });
  });
});

describe.each(KINDS)('an interruption by %s', (kind) => {
  const reason = new Interruption(kind, 'stop');
  const expected =
    kind === 'deadline' ? { kind: 'reject', failure: { code: 'JOB_DEADLINE' } } : { kind: 'abandon', why: kind };

  test.each([
    ['the signal', new Error('anything'), AbortSignal.abort(reason)],
    ['signal and error', reason, AbortSignal.abort(reason)],
    ['the error alone', reason, quiet],
    ['a cause of the error', new Error('outer', { cause: new Error('inner', { cause: reason }) }), quiet],
    ['a text that was thrown', 'text', AbortSignal.abort(reason)],
  ])('is known by %s, whatever the receives', (_where, error, signal) => {
    for (const count of RECEIVES) expect(dispose(error, signal, receive(count))).toMatchObject(expected);
  });

  test('below a failure is what that failure says', () => {
    const failure = new Failure('NETWORK', 'x', { cause: reason });
    expect(dispose(failure, quiet, receive(1))).toMatchObject({ kind: 'retry', failure });
  });
});

test('a deadline keeps what the job was doing as its cause', () => {
  const error = new Error('reading');
  const end = dispose(error, AbortSignal.abort(new Interruption('deadline', 'too long')), receive(1));
  expect('failure' in end && end.failure.cause).toBe(error);
});

test('a signal with another reason does not hide the failure', () => {
  const signal = AbortSignal.abort(new Error('not an interruption'));
  expect(dispose(new Failure('GPU_LOST', 'x'), signal, receive(1))).toMatchObject({
    kind: 'halt',
    failure: { code: 'GPU_LOST' },
  });
});

test('what no rule knows comes back, with what was thrown as its cause', () => {
  const error = new Error('nobody knows');
  const end = dispose(error, quiet, receive(2), () => 0);
  expect(end).toMatchObject({ kind: 'retry', afterSeconds: 15, failure: { code: 'UNKNOWN' } });
  expect('failure' in end && end.failure.cause).toBe(error);
});
