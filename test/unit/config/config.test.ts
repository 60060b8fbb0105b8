import { readFile } from 'node:fs/promises';

import { describe, expect, test } from '@jest/globals';

import { loadConfig } from '../../../src/config/config.ts';
import { allKeys, renderConfigTable, renderEnvExample } from '../../../src/config/render.ts';
import { Failure } from '../../../src/failure/failure.ts';

const DAEMON = {
  SQS_QUEUE_URL: 'https://sqs.ap-northeast-2.amazonaws.com/1/upload',
  SQS_DLQ_URL: 'https://sqs.ap-northeast-2.amazonaws.com/1/upload-dlq',
  DATABASE_URL: 'postgres://worker:hunter2@db:5432/video',
  MODEL_PACK: '/opt/packs/official',
  HIGHLIGHTS_BUCKET: 'highlights',
};
const NEEDS = ['queue', 'database', 'models', 'health'] as const;

function problemsOf(env: Record<string, string>, needs: typeof NEEDS | readonly [] = NEEDS): string {
  try {
    loadConfig(env, { needs });
  } catch (error) {
    if (error instanceof Failure && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return '';
}

/** What the example sets, as an environment. */
function activeExample(): Record<string, string> {
  const active = renderEnvExample()
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
    .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(active);
}

describe('loadConfig', () => {
  test('reads a complete environment and fills in the defaults', () => {
    const config = loadConfig({ ...DAEMON, CONCURRENCY: '4', SCENE: 'off' }, { needs: NEEDS });
    expect(config.queue.url).toBe(DAEMON.SQS_QUEUE_URL);
    expect(config.worker.concurrency).toBe(4);
    expect(config.queue.visibilityTimeoutSeconds).toBe(300);
    expect(config.inference.device).toBe('cuda');
    expect(config.analysis.sampleFps).toBe(1.5);
    expect(config.analysis.highlightActions).toContain('falling');
    expect(config.scene.source).toBe('off');
  });

  test('takes a number of decoder threads, or leaves them to the program', () => {
    expect(loadConfig({}).decode.threads).toBeNull();
    expect(loadConfig({ DECODER_THREADS: 'auto' }).decode.threads).toBeNull();
    expect(loadConfig({ DECODER_THREADS: '3' }).decode.threads).toBe(3);
    for (const DECODER_THREADS of ['0', '65', 'all']) {
      expect(problemsOf({ ...DAEMON, DECODER_THREADS })).toContain('a whole number from 1 to 64 (threads), or auto');
    }
  });

  test('leaves batches, threads, pipelines and frames in flight to the program, or takes a number', () => {
    const batches = { detectionBatch: null, peopleBatch: null, languageBatch: null };
    const open = { ...batches, cpuThreads: null, pipelines: null, framesInFlight: null };
    expect(loadConfig({}).inference).toMatchObject(open);
    const sizes = { DETECTION_BATCH_SIZE: '4', PEOPLE_BATCH_SIZE: '64', LANGUAGE_BATCH_SIZE: 'auto' };
    const env = { ...sizes, CPU_THREADS: '0', PIPELINES: '2' };
    const found = { ...open, detectionBatch: 4, peopleBatch: 64, cpuThreads: 0, pipelines: 2 };
    expect(loadConfig(env).inference).toMatchObject(found);
    expect(problemsOf({ ...DAEMON, DETECTION_BATCH_SIZE: '32' })).toContain('one of 1, 2, 4, 8, 16 (frames), or auto');
    const people = problemsOf({ ...DAEMON, PEOPLE_BATCH_SIZE: '48' });
    expect(people).toContain('one of 1, 2, 4, 8, 16, 32, 64 (people), or auto');
    expect(problemsOf({ ...DAEMON, PIPELINES: '0' })).toContain('a whole number from 1 to 64 (pipelines), or auto');
  });

  test('says what to set in the place of a variable that is read no more, and needs it only where it is set', () => {
    const message = problemsOf({ VISION_BATCH_SIZE: '16' }, []);
    expect(message).toContain(
      'VISION_BATCH_SIZE does nothing any more: set DETECTION_BATCH_SIZE (frames) and PEOPLE_BATCH_SIZE (people) in its place',
    );
    expect(problemsOf({ VISION_BATCH_SIZE: ' ' }, [])).toBe('');
  });

  test('is frozen at every depth', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    for (const section of Object.values(config)) expect(Object.isFrozen(section)).toBe(true);
    expect(Object.isFrozen(config.analysis.highlightActions)).toBe(true);
  });

  test('names every mistake at once, with variable, value and rule', () => {
    const message = problemsOf({ ...DAEMON, CONCURRENCY: '17', SAMPLE_FPS: '1e3', DEVICE: 'gpu', SQS_QUEUE_URL: '' });
    expect(message).toContain('CONCURRENCY is "17": it must be a whole number from 1 to 16 (videos)');
    expect(message).toContain('SAMPLE_FPS is "1e3"');
    expect(message).toContain('DEVICE is "gpu": it must be one of cuda, cpu, auto');
    expect(message).toContain('SQS_QUEUE_URL is not set');
    expect(message.split('\n')).toHaveLength(5);
  });

  test('never prints a password, also of a URL that is not one', () => {
    for (const DATABASE_URL of [
      'mysql://root:hunter2@db/x',
      'postgres://a:hun/ter2@:x/y',
      'http://a:hunter2@@h?password=hunter2',
      'root:hunter2@db/x',
      'jdbc:postgresql://root:hunter2@db/x',
      'postgres:/root:hunter2@db/x',
    ]) {
      const message = problemsOf({ ...DAEMON, DATABASE_URL });
      expect(message).toContain('DATABASE_URL is "');
      expect(message).not.toMatch(/hun\/?ter2/);
    }
  });

  test('takes no URL of two lines, which a parser would read as one', () => {
    const SQS_QUEUE_URL = 'http://localhost:4566/0\rINFO forged/video';
    expect(problemsOf({ ...DAEMON, SQS_QUEUE_URL })).toContain('SQS_QUEUE_URL is "');
    const DATABASE_URL = 'postgres://u:p@localhost\n/video';
    expect(problemsOf({ ...DAEMON, DATABASE_URL })).toContain('DATABASE_URL is "postgres://***"');
  });

  test('takes what the command puts in place of a default, where the variable is absent or empty', () => {
    const options = { needs: ['models'], defaults: { MODEL_PACK: '/packs/demo', DEVICE: 'auto' } } as const;
    const absent = { modelPack: '/packs/demo', device: 'auto' };
    expect(loadConfig({}, options).inference).toMatchObject(absent);
    expect(loadConfig({ MODEL_PACK: '', DEVICE: ' ' }, options).inference).toMatchObject(absent);
    expect(loadConfig({ MODEL_PACK: '/mine', DEVICE: 'cpu' }, options).inference).toMatchObject({
      modelPack: '/mine',
      device: 'cpu',
    });
    expect(() => loadConfig({}, { defaults: { DEVICE: 'gpu' } })).toThrow('DEVICE is "gpu"');
  });

  test('asks only for what the command needs', () => {
    expect(problemsOf({}, [])).toBe('');
    expect(loadConfig({}).queue.url).toBeNull();
    const all = problemsOf({});
    for (const name of ['SQS_QUEUE_URL', 'DATABASE_URL', 'MODEL_PACK']) {
      expect(all).toContain(`${name} is not set`);
    }
  });

  test.each([
    ['no bucket for highlights', { HIGHLIGHTS_BUCKET: '' }, 'HIGHLIGHTS_BUCKET must be set'],
    ['one queue twice', { SQS_QUEUE_URL_LOW: DAEMON.SQS_QUEUE_URL }, 'must be different queues'],
    [
      'a drain longer than a job',
      { DRAIN_SECONDS: '60', MAX_PROCESSING_SECONDS: '59' },
      'DRAIN_SECONDS (60) must not be over',
    ],
    [
      'a Bedrock endpoint nobody uses',
      { BEDROCK_ENDPOINT_URL: 'http://x' },
      'BEDROCK_ENDPOINT_URL is set while SCENE is local',
    ],
    ['a label twice', { HIGHLIGHT_ACTIONS: 'falling,falling' }, 'HIGHLIGHT_ACTIONS is "falling,falling"'],
    [
      'a health port for other hosts without a token',
      { HEALTH_PORT: '9090', HEALTH_HOST: '0.0.0.0' },
      'HEALTH_HOST is 0.0.0.0, which other hosts can reach: set HEALTH_TOKEN or HEALTH_TOKEN_FILE',
    ],
    ['an address in an old form', { HEALTH_HOST: '0' }, 'HEALTH_HOST is "0": it must be an IP address'],
    ['an address with a port', { HEALTH_HOST: '127.0.0.1:90' }, 'HEALTH_HOST is "127.0.0.1:90"'],
    ['a token that is guessed', { HEALTH_TOKEN: 'hunter2' }, 'HEALTH_TOKEN is "***": it must be 16 to 512'],
    ['a schema of Postgres itself', { DATABASE_SCHEMA: 'pg_x' }, 'DATABASE_SCHEMA is "pg_x"'],
  ])('refuses %s', (_name, env, expected) => {
    expect(problemsOf({ ...DAEMON, ...env })).toContain(expected);
  });

  test.each([
    ['::', { HEALTH_TOKEN: 'x'.repeat(16) }],
    ['worker-1.internal', { HEALTH_TOKEN: 'x'.repeat(16) }],
    ['::1', {}],
    ['127.1.2.3', {}],
    ['localhost', {}],
  ])('HEALTH_HOST may be %s', (HEALTH_HOST, more) => {
    const env = { HEALTH_PORT: '9090', HEALTH_HOST, ...more };
    expect(loadConfig(env, { needs: ['health'] }).health.host).toBe(HEALTH_HOST);
  });

  test('a command that opens no port works with the settings of a service that has its token from systemd', () => {
    const env = { ...DAEMON, HEALTH_PORT: '9090', HEALTH_HOST: '0.0.0.0' };
    for (const needs of [[], ['queue'], ['database'], ['database', 'models']] as const) {
      expect(loadConfig(env, { needs }).health.host).toBe('0.0.0.0');
    }
  });

  test('HIGHLIGHT_ACTIONS=off needs no bucket', () => {
    expect(problemsOf({ ...DAEMON, HIGHLIGHTS_BUCKET: '', HIGHLIGHT_ACTIONS: 'off' })).toBe('');
  });
});

describe('the documentation of the keys', () => {
  test('.env.example is what the key table renders', async () => {
    const file = await readFile(new URL('../../../.env.example', import.meta.url), 'utf8');
    expect(file).toBe(renderEnvExample());
  });

  test('the active lines of .env.example are a valid configuration of the daemon', () => {
    expect(loadConfig(activeExample(), { needs: NEEDS }).aws.s3ForcePathStyle).toBe(true);
  });

  test('.env.example changes nothing of how videos are analysed', () => {
    const { analysis, scene, decode, limits } = loadConfig(activeExample());
    const usual = loadConfig({});
    expect({ ...analysis, highlightsBucket: null }).toEqual({ ...usual.analysis });
    expect({ scene, decode, limits }).toEqual({ scene: usual.scene, decode: usual.decode, limits: usual.limits });
  });

  test('no two keys share a name, and each has a row in the table', () => {
    const names = allKeys().map((key) => key.name);
    expect(new Set(names).size).toBe(names.length);
    const files = allKeys().filter((key) => key.isSecret);
    expect(files.map(({ name }) => name)).toEqual(['HEALTH_TOKEN', 'DATABASE_URL']);
    const table = renderConfigTable();
    expect(table.split('\n')).toHaveLength(names.length + files.length + 2);
    for (const { name } of files) {
      expect(table).toContain(`\n| \`${name}_FILE\` | file |`);
      expect(renderEnvExample()).toContain(`\n#${name}_FILE=\n`);
    }
  });
});
