import { describe, expect, test } from '@jest/globals';

import { ok, runCheck } from '../../../src/cli/preflight/check.ts';
import { judgeDisk, judgeNode, judgeWorkDir } from '../../../src/cli/preflight/host-checks.ts';
import { preflightLines } from '../../../src/cli/preflight/render.ts';
import type { FailureCode } from '../../../src/failure/codes.ts';
import { Failure } from '../../../src/failure/failure.ts';
import {
  databaseCheck,
  judgeMigrations,
  judgeQueue,
  type ServiceDeps,
} from '../../../src/cli/preflight/service-checks.ts';

const signal = new AbortController().signal;
const DAY = 86_400;
const QUEUE = {
  url: 'http://q/1/q',
  isFifo: false,
  visibilitySeconds: 900,
  retentionSeconds: 4 * DAY,
  redrive: { deadLetterArn: 'a:b', maxReceiveCount: 5 },
};
const DEAD = { ...QUEUE, retentionSeconds: 14 * DAY, redrive: null };

describe('runCheck', () => {
  test('turns a throw into a failure with the fix', async () => {
    const run = async (): Promise<never> => {
      throw new Error('broken');
    };
    expect(await runCheck({ name: 'x', timeoutMs: 1000, fix: 'mend', run }, signal)).toEqual({
      name: 'x',
      status: 'fail',
      detail: 'broken',
      fix: 'mend',
      mayPass: false,
    });
    expect((await runCheck({ name: 'x', timeoutMs: 1000, fix: 'mend', severity: 'warn', run }, signal)).status).toBe(
      'warn',
    );
  });

  test('is over at its timeout, also when the check ignores its signal', async () => {
    const run = (): Promise<never> => new Promise(() => undefined);
    expect(await runCheck({ name: 'x', timeoutMs: 5, fix: 'mend', run }, signal)).toMatchObject({
      status: 'fail',
      detail: 'no answer within 0.005 s',
    });
  });

  test('does not start when the caller has given up', async () => {
    let started = false;
    const run = async () => {
      started = true;
      return ok('');
    };
    const result = await runCheck(
      { name: 'x', timeoutMs: 1000, fix: 'mend', run },
      AbortSignal.abort(new Error('stopped')),
    );
    expect(result).toMatchObject({ status: 'fail', detail: 'stopped' });
    expect(started).toBe(false);
  });
});

test.each([
  ['v20.19.0', 'fail'],
  ['v22.17.9', 'fail'],
  ['v22.18.0', 'ok'],
  ['v24.0.0', 'ok'],
])('Node %s: %s', (version, status) => {
  expect(judgeNode(version).status).toBe(status);
});

test.each([
  [0.5, 'fail'],
  [5, 'warn'],
  [50, 'ok'],
])('%d GiB free: %s', (gib, status) => {
  const settings = { workDir: '/w', concurrency: 2, maxObjectBytes: 20 * 1024 ** 3 };
  expect(judgeDisk(gib * 1024 ** 3, settings).status).toBe(status);
});

test('what else is said of the work directory is a warning where something is to be done about it', () => {
  const settings = { workDir: '/w', concurrency: 1, maxObjectBytes: 1 };
  const facts = { freeBytes: 50 * 1024 ** 3, note: 'not there yet', fix: null };
  expect(judgeWorkDir(facts, settings)).toMatchObject({ status: 'ok', detail: '/w: 50.0 GiB free; not there yet' });
  expect(judgeWorkDir({ ...facts, fix: 'mend' }, settings)).toMatchObject({ status: 'warn', fix: 'mend' });
  const full = judgeWorkDir({ ...facts, freeBytes: 1, fix: 'mend' }, settings);
  expect(full).toMatchObject({ status: 'fail', fix: expect.stringContaining('free disk space') });
});

test('a database whose certificate is not trusted is told from one that does not run', async () => {
  const answer = (code: FailureCode) => {
    const deps = { migrationStatus: () => Promise.reject(new Failure(code, `database: ${code}`)) };
    return runCheck(databaseCheck(false, deps as unknown as ServiceDeps), AbortSignal.timeout(10_000));
  };
  expect(await answer('CERTIFICATE')).toMatchObject({
    status: 'fail',
    fix: expect.stringMatching(/sslrootcert=FILE.*NODE_EXTRA_CA_CERTS/) as unknown,
  });
  expect((await answer('DATABASE_UNAVAILABLE')).fix).toContain('that Postgres is running');
});

describe('judgeMigrations', () => {
  const status = { applied: ['1'], pending: [] as string[], problems: [] as string[] };
  test('missing migrations fail unless they are applied at start', () => {
    expect(judgeMigrations(status, false).status).toBe('ok');
    expect(judgeMigrations({ ...status, pending: ['2'] }, false)).toMatchObject({
      status: 'fail',
      fix: expect.stringContaining('db migrate'),
    });
    expect(judgeMigrations({ ...status, pending: ['2'] }, true).status).toBe('ok');
    expect(judgeMigrations({ ...status, problems: ['half-way'] }, true)).toMatchObject({
      status: 'fail',
      detail: 'half-way',
    });
  });
});

describe('judgeQueue', () => {
  test('a good set-up', () => {
    const finding = judgeQueue({ attributes: QUEUE, findings: [], deadLetter: DEAD }, 300);
    expect(finding).toEqual({
      status: 'ok',
      detail: 'visibility 900 s, retention 4 d, redrive after 5',
      fix: null,
      mayPass: false,
    });
  });

  test('dead letters that are kept no longer than messages', () => {
    const finding = judgeQueue(
      { attributes: QUEUE, findings: [], deadLetter: { ...DEAD, retentionSeconds: 4 * DAY } },
      300,
    );
    expect(finding).toMatchObject({ status: 'warn', fix: expect.stringContaining('for 4 d') });
  });

  test('a visibility timeout below the lease', () => {
    const finding = judgeQueue(
      { attributes: { ...QUEUE, visibilitySeconds: 30 }, findings: [], deadLetter: DEAD },
      300,
    );
    expect(finding).toMatchObject({ status: 'warn', fix: expect.stringContaining('VISIBILITY_TIMEOUT_SECONDS (300)') });
  });

  test('an error among the findings fails', () => {
    const findings = [{ severity: 'error' as const, text: 'bad' }];
    expect(judgeQueue({ attributes: QUEUE, findings, deadLetter: DEAD }, 300)).toMatchObject({
      status: 'fail',
      fix: 'bad',
    });
  });
});

test('renders a row per check with its fix under it', () => {
  const lines = preflightLines({
    ok: false,
    device: 'cuda',
    decoderGpu: null,
    checks: [
      { name: 'Node', status: 'ok', detail: 'v24', fix: null, mayPass: false },
      { name: 'GPU', status: 'fail', detail: 'none', fix: 'buy one', mayPass: false },
    ],
  });
  expect(lines).toEqual([
    'ok   Node  v24',
    'FAIL GPU   none',
    '           -> buy one',
    'not ready: 1 failed, 0 warning(s); the models run on cuda',
  ]);
});
