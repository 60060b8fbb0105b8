import { chmod, chown, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { type LocalStack, startLocalStack } from '../../src/local/stack.ts';
import { canBeOther, OTHER_UID } from '../harness/as-user.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { listing } from '../harness/listing.ts';
import { localS3, localSqs } from '../harness/local-aws.ts';
import { runVideoWorker } from '../harness/operator-command.ts';
import { OwnTools } from '../harness/own-tools.ts';
import { startPostgres, type TestPostgres } from '../harness/postgres.ts';
import type { Ended } from '../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';

const VIDEO_WORKER = resolve(import.meta.dirname, '../../src/cli/video-worker.ts');
const held = new AsyncDisposableStack();
const asRoot = canBeOther ? test : test.skip;
let stack: LocalStack;
let postgres: TestPostgres;
let sqs: SQSClient;
let s3: S3Client;
let folder: TemporaryFolder;
let tests = 0;

beforeAll(async () => {
  stack = held.use(await startLocalStack({ dataDir: 'memory', port: 0 }));
  postgres = held.use(await startPostgres());
  sqs = held.adopt(localSqs({ region: stack.region, endpoint: stack.endpoint }), (client) => client.destroy());
  s3 = held.adopt(localS3({ region: stack.region, endpoint: stack.endpoint }), (client) => client.destroy());
});
afterAll(() => held.disposeAsync());

/** All that a command may touch: a home, a pack, the parent of WORK_DIR, and a folder for temporary files apart from them. */
beforeEach(async () => {
  folder = await temporaryFolder('looking');
  tests += 1;
  for (const name of ['home', 'parent', 'tmp']) await mkdir(folder.at(name));
  await cp('models/demo', folder.at('home', 'pack'), { recursive: true });
  await cp('models/demo', folder.at('pack'), { recursive: true });
});

afterEach(() => folder.remove());

const environment = (): Readonly<Record<string, string>> => ({
  ...stack.env,
  DEVICE: 'cpu',
  DATABASE_URL: postgres.url,
  DATABASE_SCHEMA: `looking_${tests}`,
  MODEL_PACK: folder.at('pack'),
  HOME: folder.at('home'),
  TMPDIR: folder.at('tmp'),
  WORK_DIR: folder.at('parent', 'work'),
  NODE_COMPILE_CACHE: '',
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
      sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })),
    ),
  );
  const objects = await Promise.all(
    [stack.uploadsBucket, stack.highlightsBucket].map((Bucket) => s3.send(new ListObjectsV2Command({ Bucket }))),
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
  expect(await everything()).toEqual(before);
});

test.each([[['preflight']], [['db', 'status']], [['status']]])(
  '%j makes no embedded database where there is none',
  async (args) => {
    const before = await listing(folder.at('parent'));
    const { code, stdout, stderr } = await videoWorker(args, { DATABASE_URL: `pglite:${folder.at('parent', 'data')}` });
    expect([code, stdout + stderr]).toEqual([expect.any(Number), expect.stringMatching(/_init|db migrate/)]);
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
  const again = await videoWorker(['preflight'], { WORK_DIR: folder.at('parent', 'work', 'below') });
  expect([again.code, again.stdout]).toEqual([2, expect.stringContaining('above it has mode 0777')]);
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

asRoot('as root, of a folder that is not there it says that another user may not be able to make it', async () => {
  const { stdout } = await videoWorker(['preflight']);
  expect(stdout).toMatch(/^(ok|WARN) +work directory .*not there yet, a start makes it; this check runs as root/m);
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
