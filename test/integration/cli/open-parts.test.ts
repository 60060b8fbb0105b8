import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Command } from 'commander';
import pino from 'pino';
import { addCommands } from '../../../src/cli/commands/add-commands.ts';
import { openModels, openParts } from '../../../src/cli/open-parts.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { startLocalStack, type LocalStack } from '../../../src/local/stack.ts';
import { createFaultProxy, type FaultProxy } from '../../harness/fault-proxy.ts';

const dir = mkdtempSync(join(tmpdir(), 'open-parts-'));
const brokenPack = join(dir, 'broken');
const logger = pino({ level: 'silent' });
const options = { device: 'cpu', videosAtOnce: 1, logger } as const;
const before = { ...process.env };
let stack: LocalStack;
/** Between the command and the stack: they count what is open. */
let aws: FaultProxy;
let database: FaultProxy;
let env: Record<string, string>;

beforeAll(async () => {
  cpSync('models/demo', brokenPack, { recursive: true });
  // The same size and the same meaning: only a hash can tell.
  const manifest = JSON.parse(readFileSync(join(brokenPack, 'manifest.json'), 'utf8')) as {
    language: { tokenizerConfig: { path: string } };
  };
  const path = join(brokenPack, manifest.language.tokenizerConfig.path);
  writeFileSync(path, readFileSync(path, 'utf8').replace(': ', ':\t'));
  stack = await startLocalStack({ dataDir: 'memory', port: 0 });
  aws = await createFaultProxy('127.0.0.1', Number(new URL(stack.endpoint).port));
  database = await createFaultProxy('127.0.0.1', Number(new URL(stack.databaseUrl).port));
  const url = new URL(stack.databaseUrl);
  url.port = String(database.port);
  env = {
    ...stack.env,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${aws.port}`,
    SQS_QUEUE_URL: `http://127.0.0.1:${aws.port}/000000000000/video-upload`,
    DATABASE_URL: url.href,
    MODEL_PACK: 'models/demo',
    DEVICE: 'cpu',
    CPU_THREADS: '1',
    LOG_LEVEL: 'silent',
    WORK_DIR: join(dir, 'work'),
  };
});

afterAll(async () => {
  await aws?.close();
  await database?.close();
  await stack?.close();
  rmSync(dir, { recursive: true, force: true });
});

beforeEach(() => {
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  process.exitCode = undefined;
});

/** The count once it has fallen to `aim`: what was closed goes away after a few turns of the event loops on both sides. */
async function fallenTo(aim: number, count: () => number): Promise<number> {
  const end = performance.now() + 10_000;
  while (count() > aim && performance.now() < end) await setImmediate();
  return count();
}

const stillOpen = (proxy: FaultProxy): Promise<number> => fallenTo(0, () => proxy.connections);

/** What of a kind keeps this process alive: a thread is its `MessagePort`. */
function handles(kind: 'MessagePort' | 'TCPServerWrap'): number {
  return process.getActiveResourcesInfo().filter((found) => found === kind).length;
}

async function once(changes: Readonly<Record<string, string>>): Promise<void> {
  Object.assign(process.env, env, changes);
  const program = new Command();
  addCommands(program);
  await program.parseAsync(['once'], { from: 'user' });
}

test('a chain reads every byte of its pack, but not a second time after the preflight has done it', async () => {
  const config = loadConfig({ ...env, MODEL_PACK: brokenPack }, { needs: ['models'] });
  await expect(openModels(config, options)).rejects.toMatchObject({ code: 'PACK_BROKEN' });
  await using models = await openModels(config, { ...options, isVerified: true });
  expect(models.describer).toBeNull();
});

test('parts that fail to open half-way leave nothing open', async () => {
  const [listening, running] = [handles('TCPServerWrap'), handles('MessagePort')];
  // The embedded database listens in this very process.
  const changes = { DATABASE_URL: 'pglite:memory', MODEL_PACK: brokenPack };
  const config = loadConfig({ ...env, ...changes }, { needs: ['database', 'models'] });
  await expect(openParts(config, options)).rejects.toMatchObject({ code: 'PACK_BROKEN' });
  expect(await fallenTo(listening, () => handles('TCPServerWrap'))).toBe(listening);
  expect(handles('MessagePort')).toBe(running);
});

test('once closes its clients when the preflight fails', async () => {
  const accepted = aws.accepted;
  await once({ S3_BUCKET: stack.uploadsBucket, S3_KEY: 'any.mp4', MODEL_PACK: brokenPack });
  expect(process.exitCode).toBe(2);
  expect(aws.accepted).toBeGreaterThan(accepted);
  expect(await stillOpen(aws)).toBe(0);
  expect(await stillOpen(database)).toBe(0);
});

test('once closes database, models, clients and listeners after its job', async () => {
  const [accepted, running, listening] = [database.accepted, handles('MessagePort'), process.listenerCount('SIGTERM')];
  await once({ S3_BUCKET: stack.uploadsBucket, S3_KEY: 'nothing.mp4' });
  expect(process.exitCode).toBe(6);
  expect(database.accepted).toBeGreaterThan(accepted);
  expect(await stillOpen(database)).toBe(0);
  expect(await stillOpen(aws)).toBe(0);
  expect(handles('MessagePort')).toBe(running);
  expect(process.listenerCount('SIGTERM')).toBe(listening);
});
