import { describe, expect, test } from '@jest/globals';
import { runCheck, type CheckResult } from '../../../src/cli/preflight/check.ts';
import { passPreflight } from '../../../src/cli/pass-preflight.ts';
import { runPreflight, type PreflightDeps } from '../../../src/cli/preflight/run-preflight.ts';
import type { VerifiedPack } from '../../../src/cli/preflight/service-checks.ts';
import type { Service } from '../../../src/cli/preflight/service-fixes.ts';
import { StartWait } from '../../../src/cli/start-wait.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { FAILURE_CODES, type FailureCode } from '../../../src/failure/codes.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { HandClock } from '../../harness/hand-clock.ts';

const signal = new AbortController().signal;

async function checkOf(error: Error, service?: Service): Promise<CheckResult> {
  const run = async (): Promise<never> => {
    throw error;
  };
  const check = { name: 'x', timeoutMs: 1_000, fix: 'the general fix', run };
  return await runCheck(service === undefined ? check : { ...check, service }, signal);
}

/** As the clients throw them. */
const thrown = (fields: object, message = 'words'): Error => Object.assign(new Error(message), fields);

describe('what may come back', () => {
  test.each([
    ['a refused connection', thrown({ code: 'ECONNREFUSED' })],
    ['a name that DNS does not know', thrown({ code: 'ENOTFOUND' })],
    ['a name server that is away', thrown({ code: 'EAI_AGAIN' })],
    ['a network that is not up', thrown({ code: 'ENETUNREACH' })],
    ['a database that starts', thrown({ code: '57P03' })],
    ['a database with too many connections', thrown({ code: '53300' })],
    ['throttling', thrown({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } })],
    ['a server error', thrown({ name: 'Whatever', $metadata: { httpStatusCode: 503 } })],
    ['a call over its limit', new Failure('TIMEOUT', 'SQS: could not read the queue within 10000 ms')],
    [
      'an instance without credentials yet',
      thrown({ name: 'CredentialsProviderError' }, 'Could not load credentials from any providers'),
    ],
  ])('%s', async (_, error) => {
    for (const service of ['database', 'queue', 'bucket'] as const) {
      expect(await checkOf(error, service)).toMatchObject({ status: 'fail', mayPass: true });
    }
    // Of this host nothing comes back while one waits.
    expect(await checkOf(error)).toMatchObject({ status: 'fail', mayPass: false });
  });

  test('a service that does not answer', async () => {
    const run = (): Promise<never> => new Promise(() => undefined);
    const check = { name: 'x', timeoutMs: 5, fix: 'mend', run, service: 'queue' } as const;
    expect(await runCheck(check, signal)).toMatchObject({ status: 'fail', mayPass: true });
  });
});

test.each([
  ['a password that is refused', thrown({ code: '28P01' })],
  ['a database that does not exist', thrown({ code: '3D000' })],
  ['a key that is wrong', thrown({ name: 'InvalidAccessKeyId', $metadata: { httpStatusCode: 403 } })],
  ['a profile that does not exist', thrown({ name: 'CredentialsProviderError' }, 'Could not resolve profile: [x]')],
  ['an error that nobody knows', thrown({ name: 'InvalidAddress', $metadata: { httpStatusCode: 404 } })],
])('%s does not come back', async (_, error) => {
  for (const service of ['database', 'queue', 'bucket'] as const) {
    expect(await checkOf(error, service)).toMatchObject({ status: 'fail', mayPass: false });
  }
});

describe('what is to be done', () => {
  test.each<[Service, FailureCode, RegExp, RegExp]>([
    ['database', 'DATABASE_UNAVAILABLE', /Postgres is running/, /certificate/],
    ['database', 'CERTIFICATE', /sslrootcert=.*NODE_EXTRA_CA_CERTS=/, /running/],
    ['database', 'CREDENTIALS', /user and password/, /running|AWS/],
    ['queue', 'NETWORK', /AWS_REGION/, /certificate/],
    ['queue', 'CERTIFICATE', /NODE_EXTRA_CA_CERTS/, /network/],
    ['queue', 'CLOCK_SKEWED', /clock/, /URL/],
    ['queue', 'QUEUE_NOT_FOUND', /region/, /network/],
    ['queue', 'KMS_REFUSED', /kms:Decrypt/, /network/],
    ['queue', 'THROTTLED', /wait/, /URL/],
    ['bucket', 'BUCKET_NOT_FOUND', /HIGHLIGHTS_BUCKET/, /DATABASE/],
  ])('%s, %s', async (service, code, says, not) => {
    const { fix, detail } = await checkOf(new Failure(code, 'the words of the service'), service);
    expect(fix).toMatch(says);
    expect(fix).not.toMatch(not);
    expect(detail).toBe('the words of the service');
  });

  test('the way out of a package that is not installed, not of a network', async () => {
    const failure = new Failure('CONFIG_INVALID', 'the package x is not installed', {
      details: { instead: 'use a real database, or run scripts/setup without --production' },
    });
    expect((await checkOf(failure, 'database')).fix).toBe(
      'use a real database, or run scripts/setup without --production',
    );
  });

  test('an error that nobody knows leaves it to the check', async () => {
    expect((await checkOf(new Error('?'), 'queue')).fix).toBe('the general fix');
    for (const code of Object.keys(FAILURE_CODES) as FailureCode[]) {
      expect((await checkOf(new Failure(code, 'no'), 'queue')).fix).not.toBe('');
    }
  });
});

describe('a preflight that waits', () => {
  const config = loadConfig(
    {
      SQS_QUEUE_URL: 'http://localhost:1/000000000000/q',
      DATABASE_URL: 'postgres://localhost/d',
      MODEL_PACK: 'pack',
      DEVICE: 'cpu',
      HIGHLIGHTS_BUCKET: 'images',
    },
    { needs: ['queue', 'database', 'models'] },
  );
  const attributes = {
    url: 'q',
    isFifo: false,
    visibilitySeconds: 600,
    retentionSeconds: 345_600,
    redrive: { deadLetterArn: 'a', maxReceiveCount: 5 },
  };

  const SANDBOX = { program: 'b', view: [], gpuView: [], hasProc: true, forbidsMore: true, taskLimit: [] };

  /** A host on which all is well, but for what is given. `asked` counts what was looked at. */
  function host(changes: Partial<PreflightDeps>): { readonly deps: PreflightDeps; readonly asked: string[] } {
    const asked: string[] = [];
    const good: PreflightDeps = {
      nodeVersion: 'v24.0.0',
      firstEnvironment: async () => new Map([['MALLOC_ARENA_MAX', '1']]),
      descriptors: async () => ({ limit: 1_024, open: 30 }),
      secretFiles: [],
      modeOf: () => Promise.reject(new Error('not asked')),
      findFfmpeg: async () => ({ ffmpeg: 'f', ffprobe: 'p', version: '7', source: 'system', untried: null }),
      trySandbox: async () => ({ choice: 'auto', inForce: SANDBOX, problem: null }),
      drawPicture: async () => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0),
      workDirFacts: async () => ({ freeBytes: 1e15, note: null, fix: null }),
      queryGpus: async () => ({ ok: false, detail: '', fix: '' }),
      inspectLibraries: () => Promise.reject(new Error('not asked')),
      checkGpuDecoder: () => Promise.reject(new Error('not asked')),
      probeCuda: () => Promise.reject(new Error('not asked')),
      verifyPack: async () => ({ name: 'p', fingerprint: 'f', unprepared: [] }),
      migrationStatus: async () => ({ applied: [], pending: [], problems: [] }),
      readQueue: async () => ({ attributes, findings: [], deadLetter: null }),
      notifiedQueues: async () => [],
      askBucket: async () => undefined,
      ...changes,
    };
    const counted = Object.entries(good).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'function'
        ? (...args: unknown[]): unknown => {
            asked.push(name);
            return (value as (...args: unknown[]) => unknown)(...args);
          }
        : value,
    ]);
    return { deps: Object.fromEntries(counted) as PreflightDeps, asked };
  }

  const failing = (times: number, code: FailureCode): (() => Promise<void>) => {
    let left = times;
    return async () => {
      left -= 1;
      if (left >= 0) throw new Failure(code, 'away');
    };
  };

  async function pass(deps: PreflightDeps, limitMs = 3_600_000) {
    const clock = new HandClock();
    const logger = createLogger({ level: 'silent', format: 'json', name: 'test' });
    const wait = new StartWait({ limitMs, logger, notifier: { extendStart: async () => {} }, signal, clock });
    const written: string[] = [];
    const report = await clock.until(
      passPreflight(config, deps, wait, (...lines) => void written.push(lines.join('\n')), signal),
    );
    return { report, written, clock };
  }

  test('looks again at what was away, and at nothing else', async () => {
    const database = failing(3, 'DATABASE_UNAVAILABLE');
    const bucket = failing(2, 'NETWORK');
    const { deps, asked } = host({
      migrationStatus: async () => {
        await database();
        return { applied: [], pending: [], problems: [] };
      },
      askBucket: bucket,
    });
    const { report, written } = await pass(deps);
    expect(report.ok).toBe(true);
    expect(report.checks.filter((check) => check.status === 'warn')).toEqual([]);
    const count = (name: string): number => asked.filter((other) => other === name).length;
    expect(count('migrationStatus')).toBe(4);
    expect(count('askBucket')).toBe(3);
    for (const name of ['findFfmpeg', 'workDirFacts', 'verifyPack', 'readQueue']) expect(count(name)).toBe(1);
    expect(written).toHaveLength(2);
  });

  async function checkedPack(device: 'auto' | 'cuda', unprepared: VerifiedPack['unprepared']) {
    const { deps } = host({ verifyPack: async () => ({ name: 'p', fingerprint: 'f', unprepared }) });
    const { checks } = await runPreflight({ ...config, inference: { ...config.inference, device } }, deps, signal);
    return checks.find(({ name }) => name === 'model pack')!;
  }
  test.each([
    ['nothing is set', {}, 'warn'],
    ['people share smaller runs', { PEOPLE_BATCH_SIZE: '8' }, 'warn'],
    ['scene texts come from elsewhere', { SCENE: 'bedrock' }, 'warn'],
    ['both are set', { PEOPLE_BATCH_SIZE: '8', SCENE: 'off' }, 'ok'],
    ['both are set, for two pipelines', { PEOPLE_BATCH_SIZE: '8', SCENE: 'off', PIPELINES: '2' }, 'warn'],
  ])('judges the memory of a GPU of 15 GiB by the settings: %s', async (_name, env, status) => {
    const gpus = [
      { name: 'T4', driver: '580.65', memoryTotalMib: 15_360, memoryFreeMib: 15_109, computeCapability: 7.5 },
    ];
    const { deps } = host({ queryGpus: async () => ({ ok: true, gpus }) });
    const { checks } = await runPreflight(loadConfig({ ...env, DEVICE: 'cuda' }), deps, signal);
    expect(checks.find(({ name }) => name === 'GPU')).toMatchObject({ status });
  });

  const stages = ['detection', 'action'].map((stage) => ({ stage, reason: null }));

  test.each([
    ['auto', 'ok'],
    ['cuda', 'warn'],
  ] as const)(
    'tells of stages without a graph only where the models run on the GPU (DEVICE=%s: %s)',
    async (device, status) => {
      const check = await checkedPack(device, stages);
      expect(check.status).toBe(status);
      expect(check.detail.includes('slower: detection, action')).toBe(status === 'warn');
    },
  );

  test('advises nobody to prepare a pack for a stage of which no graph can be made', async () => {
    const action = { stage: 'action', reason: 'opset 17, expected 16' };
    expect(await checkedPack('cuda', [action])).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/; no graph of its own can be made for action \(opset 17, expected 16\)$/),
    });
    expect(await checkedPack('cuda', [stages[0]!, action])).toMatchObject({
      status: 'warn',
      detail: expect.stringMatching(/made for action \(opset 17.*slower: detection$/),
    });
  });

  test('starts without a bucket of images that stays away', async () => {
    const { report } = await pass(host({ askBucket: failing(1e6, 'NETWORK') }).deps, 60_000);
    expect(report.ok).toBe(true);
    expect(report.checks.find(({ name }) => name === 'highlights bucket')?.status).toBe('warn');
  });

  test('does not wait for a bucket that refuses', async () => {
    const { deps, asked } = host({ askBucket: failing(1e6, 'OBJECT_FORBIDDEN') });
    expect((await pass(deps)).clock.now()).toBe(0);
    expect(asked.filter((name) => name === 'askBucket')).toHaveLength(1);
  });

  test('ends when what was away comes back wrong', async () => {
    const answers = [new Failure('DATABASE_UNAVAILABLE', 'away'), new Failure('DATABASE_NOT_MIGRATED', 'no schema')];
    const { deps } = host({ migrationStatus: () => Promise.reject(answers.shift() ?? new Error('asked again')) });
    const { report } = await pass(deps);
    expect(report.ok).toBe(false);
    expect(report.checks.find(({ name }) => name === 'database')?.detail).toBe('no schema');
  });
});
