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
import type { LocalStack } from '../../../src/local/stack.ts';
import { createFaultProxy, type FaultProxy } from '../../harness/fault-proxy.ts';
import { startServices } from '../../harness/services.ts';

const dir = mkdtempSync(join(tmpdir(), 'open-parts-'));
const brokenPack = join(dir, 'broken');
const logger = pino({ level: 'silent' });
const options = { device: 'cpu', videosAtOnce: 1, logger } as const;
const before = { ...process.env };
let services: LocalStack;
/** Between the command and the services: they count what is open. */
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
  services = await startServices();
  aws = await createFaultProxy('127.0.0.1', Number(new URL(services.endpoint).port));
  database = await createFaultProxy('127.0.0.1', Number(new URL(services.databaseUrl).port));
  const url = new URL(services.databaseUrl);
  url.port = String(database.port);
  env = {
    ...services.env,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${aws.port}`,
    SQS_QUEUE_URL: services.queueUrl.replace(services.endpoint, `http://127.0.0.1:${aws.port}`),
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
  await services?.[Symbol.asyncDispose]();
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

/** The connections once none is left: what was closed goes away after a few turns of the event loops on both sides. */
async function stillOpen(proxy: FaultProxy): Promise<number> {
  // Less than it takes a pool to close what is idle by itself.
  const end = performance.now() + 4_000;
  while (proxy.connections > 0 && performance.now() < end) await setImmediate();
  return proxy.connections;
}

/** What of a kind keeps this process alive. */
const handles = (kind: string): number => process.getActiveResourcesInfo().filter((found) => found === kind).length;

/** A thread is its `MessagePort`. */
const threads = (): number => handles('MessagePort');
const servers = (): number => handles('TCPServerWrap');

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
  const [listening, running] = [servers(), threads()];
  // The embedded database listens in this very process; of a real one no connection would be open yet.
  const changes = { DATABASE_URL: 'pglite:memory', MODEL_PACK: brokenPack };
  const config = loadConfig({ ...env, ...changes }, { needs: ['database', 'models'] });
  await expect(openParts(config, options)).rejects.toMatchObject({ code: 'PACK_BROKEN' });
  const end = performance.now() + 10_000;
  while (servers() > listening && performance.now() < end) await setImmediate();
  expect(servers()).toBe(listening);
  expect(threads()).toBe(running);
});

test('once closes its clients when the preflight fails', async () => {
  const accepted = aws.accepted;
  await once({ S3_BUCKET: services.uploadsBucket, S3_KEY: 'any.mp4', MODEL_PACK: brokenPack });
  expect(process.exitCode).toBe(2);
  expect(aws.accepted).toBeGreaterThan(accepted);
  expect(await stillOpen(aws)).toBe(0);
  expect(await stillOpen(database)).toBe(0);
});

test('once closes database, models, clients and listeners after its job', async () => {
  const [accepted, running, listening] = [database.accepted, threads(), process.listenerCount('SIGTERM')];
  await once({ S3_BUCKET: services.uploadsBucket, S3_KEY: 'nothing.mp4' });
  expect(process.exitCode).toBe(6);
  expect(database.accepted).toBeGreaterThan(accepted);
  expect(await stillOpen(database)).toBe(0);
  expect(await stillOpen(aws)).toBe(0);
  expect(threads()).toBe(running);
  expect(process.listenerCount('SIGTERM')).toBe(listening);
});
