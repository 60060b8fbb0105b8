import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { CheckResult } from '../../../src/cli/preflight/check.ts';
import { preflightDeps } from '../../../src/cli/preflight/real-deps.ts';
import { type PreflightReport, runPreflight } from '../../../src/cli/preflight/run-preflight.ts';
import { loadConfig } from '../../../src/config/config.ts';
import type { LocalStack } from '../../../src/local/stack.ts';
import { localS3, localSqs } from '../../harness/local-aws.ts';
import { startServices } from '../../harness/services.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const PACK = fileURLToPath(new URL('../../../models/demo', import.meta.url));
const held = new AsyncDisposableStack();
let services: LocalStack;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = held.use(await temporaryFolder('preflight'));
  services = held.use(await startServices());
});

afterAll(async () => {
  await held.disposeAsync();
});

async function preflight(changes: Record<string, string>): Promise<PreflightReport> {
  const env = { ...services.env, MODEL_PACK: PACK, DEVICE: 'cpu', WORK_DIR: folder.at('work'), ...changes };
  const config = loadConfig(env, { needs: ['queue', 'database', 'models'] });
  const region = config.aws.region;
  const endpoint = config.aws.endpointUrl ?? '';
  const sqs = localSqs({ region, endpoint, maxAttempts: 1 });
  const s3 = localS3({ region, endpoint, maxAttempts: 1 });
  try {
    return await runPreflight(config, preflightDeps(config, { sqs, s3 }), new AbortController().signal);
  } finally {
    sqs.destroy();
    s3.destroy();
  }
}

function named(report: PreflightReport, name: string): CheckResult | undefined {
  return report.checks.find((check) => check.name === name);
}

describe('the preflight', () => {
  test('passes with the demo pack', async () => {
    const report = await preflight({});
    expect(report.checks.filter((check) => check.status === 'fail')).toEqual([]);
    expect(report).toMatchObject({ ok: true, device: 'cpu' });
    expect(named(report, 'queue')).toMatchObject({
      status: 'ok',
      detail: 'visibility 900 s, retention 4 d, redrive after 5',
    });
    expect(named(report, 'database')?.detail).toContain('applied at start');
    expect(named(report, 'model pack')?.detail).toContain('demo in');
    expect(named(report, 'highlights bucket')?.status).toBe('ok');
    expect(named(report, 'pictures')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/^a JPEG of \d{3,} bytes$/),
    });
  });

  test('names every dependency that is away at once, and what to do', async () => {
    const report = await preflight({
      MODEL_PACK: folder.path,
      DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/db',
      SQS_QUEUE_URL: `${services.endpoint}/000000000000/absent`,
      HIGHLIGHTS_BUCKET: 'absent-bucket',
      FFMPEG_PATH: folder.at('no-ffmpeg'),
      WORK_DIR: '/dev/null/work',
    });
    expect(report.ok).toBe(false);
    const failed = report.checks.filter((check) => check.status === 'fail').map((check) => check.name);
    expect(failed.sort()).toEqual(['database', 'ffmpeg', 'model pack', 'queue', 'work directory']);
    expect(named(report, 'highlights bucket')?.status).toBe('warn');
    for (const check of report.checks.filter(({ status }) => status === 'fail')) expect(check.fix).not.toBeNull();
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  test('draws no picture where none is asked for', async () => {
    const changes = { HIGHLIGHT_ACTIONS: 'off', SCENE: 'off' };
    expect(named(await preflight(changes), 'pictures')).toBeUndefined();
    expect(named(await preflight({ ...changes, SCENE: 'bedrock' }), 'pictures')?.status).toBe('ok');
  });

  test('asks for migrations when they are not applied at start', async () => {
    const report = await preflight({ MIGRATE_ON_START: 'off' });
    expect(named(report, 'database')).toMatchObject({ status: 'fail', fix: expect.stringContaining('db migrate') });
  });
});
