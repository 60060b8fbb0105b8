import { chmod, chown, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { canBeOther, OTHER_UID } from '../harness/as-user.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { listing } from '../harness/listing.ts';
import { describeStack, LOCAL_BUCKETS, localQueues, type LocalStack } from '../../src/local/stack.ts';
import { TEST_REGION } from '../harness/local-aws.ts';
import { runVideoWorker } from '../harness/operator-command.ts';
import { OwnTools } from '../harness/own-tools.ts';
import { startPostgres, type TestPostgres } from '../harness/postgres.ts';
import type { Ended } from '../harness/run-program.ts';
import { startSqsProcess, type SqsProcess } from '../harness/sqs-process.ts';
import { temporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';

const VIDEO_WORKER = resolve(import.meta.dirname, '../../src/cli/video-worker.ts');
const held = new AsyncDisposableStack();
const asRoot = canBeOther ? test : test.skip;
/** In the place of PGlite: says where a database was to be made, and makes none. */
const TELLING_PGLITE = `
  import { registerHooks } from 'node:module';
  const pglite = "export const PGlite = { create: async (place) => { throw new Error('one was asked for in ' + place); } };";
  const url = 'data:text/javascript,' + encodeURIComponent(pglite);
  registerHooks({
    resolve: (name, context, next) =>
      name === '@electric-sql/pglite' ? { url, shortCircuit: true } : next(name, context),
  });
`;
let aws: SqsProcess;
let stack: LocalStack;
let postgres: TestPostgres;
let folder: TemporaryFolder;
let tests = 0;

beforeAll(async () => {
  postgres = held.use(await startPostgres());
  aws = held.use(await startSqsProcess({ queues: localQueues(TEST_REGION), buckets: LOCAL_BUCKETS }));
  stack = describeStack({ port: aws.port, region: TEST_REGION }, postgres.url, async () => undefined);
});
afterAll(() => held.disposeAsync());

/** All that a command may touch: a home, a pack, the parent of WORK_DIR, and a folder for temporary files apart from them. */
beforeEach(async () => {
  folder = await temporaryFolder('looking');
  tests += 1;
  for (const name of ['home', 'parent', 'tmp']) await mkdir(folder.at(name));
  await cp('models/demo', folder.at('pack'), { recursive: true });
});

afterEach(() => folder.remove());

const environment = (): Readonly<Record<string, string>> => ({
  ...stack.env,
  DEVICE: 'cpu',
  DATABASE_SCHEMA: `looking_${tests}`,
  MODEL_PACK: folder.at('pack'),
  HOME: folder.at('home'),
  TMPDIR: folder.at('tmp'),
  WORK_DIR: folder.at('parent', 'work'),
});

const videoWorker = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runVideoWorker(args, { ...environment(), ...env });

async function everything(): Promise<unknown> {
  const files = await Promise.all(['home', 'pack', 'parent'].map((name) => listing(folder.at(name))));
  const database = new Client({ connectionString: postgres.url });
  await database.connect();
  const { rows } = await database.query(
    'select nspname, relname from pg_namespace left join pg_class on relnamespace = pg_namespace.oid order by 1, 2',
  );
  await database.end();
  const queues = await Promise.all(
    [stack.queueUrl, stack.dlqUrl].map((QueueUrl) =>
      aws.clients.control.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })),
    ),
  );
  const objects = await Promise.all(
    LOCAL_BUCKETS.map((Bucket) => aws.store.send(new ListObjectsV2Command({ Bucket }))),
  );
  return {
    files,
    temporary: await readdir(folder.at('tmp')),
    // The server names its own folders of temporary tables as it likes.
    database: rows.filter(({ nspname }) => !String(nspname).startsWith('pg_')),
    queues: queues.map(({ Attributes }) => Attributes),
    objects: objects.map(({ Contents }) => Contents ?? []),
  };
}

test.each([
  [['preflight']],
  [['preflight', '--json']],
  [['models', 'verify']],
  [['status', 'nobody']],
  [['report', 'nobody']],
  [['db', 'status']],
  [['dead-letters']],
])('%j changes nothing: no file, no row, no message, and not WORK_DIR', async (args) => {
  const before = await everything();
  const { code, stdout, stderr } = await videoWorker(args);
  expect([code, stdout + stderr]).toEqual([expect.any(Number), expect.stringMatching(/./)]);
  if (args[0] === 'preflight') expect(code).toBe(0);
  if (args[1] === '--json') expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  // As root it says that another user may not be able to make the folder.
  if (args.length === 1 && args[0] === 'preflight' && canBeOther) {
    expect(stdout).toMatch(/^(ok|WARN) +work directory .*not there yet, a start makes it; this check runs as root/m);
  }
  expect(await everything()).toEqual(before);
});

test.each([[['preflight']], [['db', 'status']], [['status']]])(
  '%j makes no embedded database where there is none',
  async (args) => {
    const before = await listing(folder.at('parent'));
    const hooks = folder.at('telling-pglite.mjs');
    await writeFile(hooks, TELLING_PGLITE);
    const DATABASE_URL = `pglite:${folder.at('parent', 'data')}`;
    const { stdout, stderr } = await videoWorker(args, { DATABASE_URL, NODE_OPTIONS: `--import=${hooks}` });
    // What one in memory answers is told by the tests of the database.
    expect(stdout + stderr).toContain('one was asked for in memory://');
    expect(await listing(folder.at('parent'))).toEqual(before);
  },
);

test('a preflight that is stopped leaves nothing either', async () => {
  const tools = await OwnTools.make(folder.at('tools'));
  const ffmpeg = await tools.holdBack('ffmpeg');
  const before = await everything();
  const entry = folder.at('preflight');
  const command = `${process.execPath} --disable-warning=ExperimentalWarning ${VIDEO_WORKER} preflight`;
  await writeFile(entry, `#!/bin/sh\nexec ${command} >&2\n`, { mode: 0o755 });
  await using preflight = new DaemonProcess({ env: { ...environment(), ...tools.env }, entry });
  await ffmpeg.begun();
  expect(await readdir(folder.at('tmp'))).toHaveLength(1);
  expect(await preflight.stop('SIGINT')).toBe(2);
  expect(await everything()).toEqual(before);
});

test('the preflight looks at a WORK_DIR that is there, and says what a start would do to it', async () => {
  const work = folder.at('parent', 'work');
  await mkdir(work);
  await chmod(work, 0o755);
  const before = await everything();
  const { code, stdout } = await videoWorker(['preflight']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^ok +work directory .*a start closes it \(mode 0700\)$/m)]);
  expect(await everything()).toEqual(before);
});

test('the preflight says what is wrong with WORK_DIR and leaves it as it is', async () => {
  await mkdir(folder.at('parent', 'work'));
  await chmod(folder.at('parent', 'work'), 0o777);
  const before = await everything();
  const { code, stdout } = await videoWorker(['preflight']);
  expect([code, stdout]).toEqual([
    2,
    expect.stringMatching(/^FAIL work directory .*mode 0777, so that others can write/m),
  ]);
  await chmod(folder.at('parent', 'work'), 0o777);
  const SQS_QUEUE_URL = 'http://127.0.0.1:9/000000000000/none';
  const again = await videoWorker(['preflight'], { WORK_DIR: folder.at('parent', 'work', 'below'), SQS_QUEUE_URL });
  expect([again.code, again.stdout]).toEqual([2, expect.stringContaining('above it has mode 0777')]);
  expect(again.stdout).toMatch(/^FAIL queue/m);
  expect(JSON.stringify(before)).toContain('40777');
});

asRoot('as root, of the folder of a service it says for whom it is right; a worker of root refuses it', async () => {
  const work = folder.at('parent', 'work');
  await mkdir(work, { mode: 0o700 });
  await chown(work, OTHER_UID, OTHER_UID);
  const before = await everything();
  const { code, stdout } = await videoWorker(['preflight']);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^WARN +work directory .*belongs to uid 64321.*runs as root/m),
  ]);
  expect(await everything()).toEqual(before);
  const once = await videoWorker(['once'], { S3_BUCKET: stack.uploadsBucket, S3_KEY: 'x.mp4' });
  expect([once.code, once.stderr]).toEqual([2, expect.stringMatching(/FAIL work directory .*belongs to uid 64321/)]);
  expect(await readdir(work)).toEqual([]);
});

test.each([
  ['once', { S3_KEY: 'x.mp4' }],
  ['analyze', {}],
])('%s refuses a folder in which others may write, as the daemon does', async (command, env) => {
  await mkdir(folder.at('parent', 'work'));
  await chmod(folder.at('parent', 'work'), 0o777);
  const args = command === 'analyze' ? ['analyze', `s3://${stack.uploadsBucket}/x.mp4`] : [command];
  const { code, stderr } = await videoWorker(args, { S3_BUCKET: stack.uploadsBucket, ...env });
  expect([code, stderr]).toEqual([
    expect.any(Number),
    expect.stringContaining('has mode 0777, so that others can write there'),
  ]);
  expect(code).not.toBe(0);
});
