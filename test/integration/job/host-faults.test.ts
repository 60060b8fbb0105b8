import { mkdir, rm, writeFile } from 'node:fs/promises';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { parseMessage } from '../../../src/queue/messages/parse-message.ts';
import type { FileSystemFacts } from '../../../src/storage/work-dir-space.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import type { ProcessJob } from '../../../src/worker/delivery.ts';
import { FakeChain } from '../../harness/fake-chain.ts';
import { startVideoGround, type VideoGround } from '../../harness/video-ground.ts';
import { createVideoWorker, type VideoWorker } from '../../harness/video-worker.ts';
import { filesInWorkDir } from '../../harness/work-folders.ts';

const idle = new AbortController().signal;
const ROOM: FileSystemFacts = { freeBytes: 1e9, totalBytes: 1e9 };
type Tool = 'ffprobe' | 'ffmpeg';
let ground: VideoGround;
let rig: VideoWorker;
let processJob: ProcessJob;
let room: FileSystemFacts;
let duringAnalysis: () => Promise<void>;
let tests = 0;

beforeAll(async () => {
  ground = await startVideoGround();
  await asTheyWere();
  const queueUrl = ground.sqs.server.createQueue('videos').queueUrl;
  rig = await createVideoWorker({
    endpoint: ground.sqs.endpoint,
    queueUrl,
    deadLetterUrl: queueUrl,
    databaseUrl: ground.postgres.url,
    workDir: ground.folder.at('work'),
    logger: createLogger({ level: 'silent', format: 'json', name: 'test' }),
    chain: new FakeChain(() => [{ box: [8, 8, 32, 48] }], { before: () => duringAnalysis() }),
    tools: { ffmpegPath: ground.folder.at('ffmpeg'), ffprobePath: ground.folder.at('ffprobe') },
    measureWorkDir: async () => room,
    wrap: (made) => (processJob = made),
  });
  await rig.s3.send(new CreateBucketCommand({ Bucket: 'videos' }));
});
beforeEach(async () => {
  tests += 1;
  room = ROOM;
  duringAnalysis = async () => undefined;
  await asTheyWere();
  await put(ground.video);
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

/** Both tools are those of the machine, called by scripts that a test can replace. */
async function asTheyWere(): Promise<void> {
  for (const tool of ['ffprobe', 'ffmpeg'] as const) await becomes(tool, 'true');
}

/** From now on the tool begins with these lines, and goes on as the real one if it gets there. */
async function becomes(tool: Tool, script: string): Promise<void> {
  await writeFile(ground.folder.at(tool), `#!/bin/sh\n${script}\nexec ${tool} "$@"\n`, { mode: 0o755 });
}

async function put(body: Uint8Array): Promise<void> {
  await rig.s3.send(new PutObjectCommand({ Bucket: 'videos', Key: `${tests}.mp4`, Body: body }));
}

function run(key = `${tests}.mp4`): Promise<Disposition> {
  const parsed = parseMessage(JSON.stringify({ bucket: 'videos', key }), {});
  if (parsed.kind !== 'jobs') throw new Error('the message asks for nothing');
  const receipt = { receiveCount: 1, isLastReceive: false };
  const ids = { messageId: `message-${key}`, correlationId: `message-${key}` };
  return processJob({ job: parsed.jobs[0]!, ...ids, ...receipt, confirmLease: async () => undefined }, idle);
}

async function video() {
  return await rig.database.prisma.video.findFirst({
    where: { key: `${tests}.mp4` },
    select: { status: true, attempts: true },
  });
}

/** The video waits for its next run, and nothing lies in its way. */
async function expectGivenBack(): Promise<void> {
  expect(await video()).toMatchObject({ status: 'pending' });
  expect(await filesInWorkDir(ground.folder.at('work'))).toEqual([]);
}

/** What was given back is a good video as before; a whole run, so for one of each way to come back. */
async function expectGoodAfterwards(): Promise<void> {
  await asTheyWere();
  expect(await run()).toEqual({ kind: 'ack', outcome: 'completed' });
  expect(await filesInWorkDir(ground.folder.at('work'))).toEqual([]);
}

const SAY_INVALID = 'echo "[error] file:video: Invalid data found when processing input" >&2; exit 1';
const LOADER = 'echo "$0: error while loading shared libraries: libavcodec.so.59: cannot open shared object file" >&2';

test.each<[string, Tool, string, string]>([
  ['exit code 127', 'ffprobe', 'exit 127', 'TOOL_BROKEN'],
  ['exit code 126', 'ffmpeg', 'exit 126', 'TOOL_BROKEN'],
  ['SIGKILL', 'ffprobe', 'kill -KILL $$', 'TOOL_BROKEN'],
  ['SIGKILL', 'ffmpeg', 'kill -KILL $$', 'TOOL_BROKEN'],
  ['SIGTERM', 'ffmpeg', 'kill -TERM $$', 'TOOL_BROKEN'],
  ['a missing library', 'ffprobe', `${LOADER}; exit 127`, 'TOOL_BROKEN'],
  ['a missing library', 'ffmpeg', `${LOADER}; exit 1`, 'TOOL_BROKEN'],
  ['a crash on whatever it gets', 'ffmpeg', 'kill -SEGV $$', 'TOOL_BROKEN'],
  ['a crash on whatever it gets', 'ffprobe', 'kill -BUS $$', 'TOOL_BROKEN'],
  ['the same complaint about every file', 'ffprobe', SAY_INVALID, 'TOOL_BROKEN'],
  ['the same complaint about every file', 'ffmpeg', SAY_INVALID, 'TOOL_BROKEN'],
  ['no word', 'ffprobe', 'exit 1', 'TOOL_BROKEN'],
  ['no word', 'ffmpeg', 'exit 1', 'TOOL_BROKEN'],
  ['success and nothing to show', 'ffprobe', 'exit 0', 'TOOL_BROKEN'],
  ['success and nothing to show', 'ffmpeg', 'exit 0', 'TOOL_BROKEN'],
  [
    'no memory to be loaded',
    'ffprobe',
    'echo "sh: cannot execute: Cannot allocate memory" >&2; exit 126',
    'HOST_OUT_OF_MEMORY',
  ],
  ['no descriptors', 'ffmpeg', 'echo "[error] file:video: Too many open files" >&2; exit 1', 'HOST_FAULT'],
])('%s of %s stops the worker and leaves the video as good as it was', async (_what, tool, script, code) => {
  await becomes(tool, script);
  expect(await run()).toMatchObject({ kind: 'halt', failure: { code, class: 'system' } });
  await expectGivenBack();
});

test.each<[Tool]>([['ffprobe'], ['ffmpeg']])('%s removed after the start stops the worker', async (tool) => {
  await rm(ground.folder.at(tool));
  const message = expect.stringContaining('install ffmpeg');
  expect(await run()).toMatchObject({ kind: 'halt', failure: { code: 'FFMPEG_MISSING', message } });
  await expectGivenBack();
});

/** Only for the video of a job: the tools are sound. */
const ofVideo = (script: string): string => `case "$*" in *file:video*) ${script};; esac`;

test.each<[string, Tool, string]>([
  ['vanishes before it is probed', 'ffprobe', 'rm video'],
  ['vanishes before it is decoded', 'ffmpeg', 'rm video'],
  ['is cut off by somebody', 'ffprobe', ': >video'],
  ['is cut off by somebody', 'ffmpeg', 'truncate -s 3000 video'],
  ['is given up without a word', 'ffprobe', 'exit 1'],
  ['is given up without a word', 'ffmpeg', 'exit 1'],
  ['cannot be read for a moment', 'ffprobe', 'echo "[error] file:video: Input/output error" >&2; exit 1'],
  ['takes over the tool, which ends as if it were not there', 'ffprobe', 'exit 127'],
  ['takes over the tool, which ends as if it might not be run', 'ffmpeg', 'exit 126'],
  ['takes over the tool, which ends as if a library were missing', 'ffmpeg', `${LOADER}; exit 127`],
  ['takes over the tool, which ends as if it were stopped', 'ffprobe', 'kill -TERM $$'],
  ['takes over the tool, which ends as if it were stopped', 'ffmpeg', 'kill -HUP $$'],
  ['takes over the tool, which ends as if it were killed', 'ffmpeg', 'kill -KILL $$'],
])(
  'a video whose file %s comes back and ends no worker, though the tools are sound (%s)',
  async (_what, tool, script) => {
    await becomes(tool, ofVideo(script));
    expect(await run()).toMatchObject({ kind: 'retry', failure: { code: 'DECODER_INTERRUPTED', class: 'temporary' } });
    await expectGivenBack();
  },
);

test('a video that came back from broken tools, and from an interruption, is as good as it was', async () => {
  await becomes('ffmpeg', SAY_INVALID);
  expect(await run()).toMatchObject({ kind: 'halt' });
  await becomes('ffprobe', ofVideo('kill -TERM $$'));
  await becomes('ffmpeg', 'true');
  expect(await run()).toMatchObject({ kind: 'retry' });
  await expectGoodAfterwards();
});

test.each<[string, Tool, string, string]>([
  ['is no video', 'ffprobe', SAY_INVALID, 'NOT_A_VIDEO'],
  ['crashes the decoder', 'ffmpeg', 'kill -SEGV $$', 'VIDEO_DECODE_FAILED'],
])('a file that %s is rejected, with the tools found sound', async (_what, tool, script, code) => {
  await becomes(tool, ofVideo(script));
  expect(await run()).toMatchObject({ kind: 'reject', failure: { code, class: 'permanent' } });
  expect(await video()).toMatchObject({ status: 'failed' });
});

test('bad files at the same time each get their own verdict', async () => {
  const key = (n: number): string => `${tests}-${n}.txt`;
  for (const n of [1, 2, 3, 4]) {
    await rig.s3.send(new PutObjectCommand({ Bucket: 'videos', Key: key(n), Body: `no video ${n}` }));
  }
  const ends = await Promise.all([1, 2, 3, 4].map((n) => run(key(n))));
  for (const end of ends) expect(end).toMatchObject({ kind: 'reject', failure: { code: 'NOT_A_VIDEO' } });
});

test.each<[string, () => Promise<void>]>([
  ['a file where its folder was', () => replaceWorkDir(() => writeFile(ground.folder.at('work'), ''))],
])('WORK_DIR with %s stops the worker', async (_what, breaks) => {
  await breaks();
  expect(await run()).toMatchObject({ kind: 'halt', failure: { code: 'HOST_FAULT', class: 'system' } });
  await replaceWorkDir(() => mkdir(ground.folder.at('work')));
  await expectGoodAfterwards();
});

async function replaceWorkDir(make: () => Promise<unknown>): Promise<void> {
  await rm(ground.folder.at('work'), { recursive: true, force: true });
  await make();
}

test('a job whose object does not fit now waits for room under its lease, and no attempt is counted', async () => {
  room = { freeBytes: 10, totalBytes: 1e9 };
  expect(await run()).toMatchObject({
    kind: 'wait',
    why: 'space',
    otherwise: { failure: { code: 'WORK_DIR_SPACE', class: 'temporary', stage: 'download' } },
  });
  expect(await video()).toEqual({ status: 'pending', attempts: 0 });
  room = ROOM;
  await expectGoodAfterwards();
});

test('a disk that is full with the files of the job, and not without them, is trouble of the job alone', async () => {
  duringAnalysis = () => Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
  expect(await run()).toMatchObject({ kind: 'wait', why: 'space' });
  expect(await video()).toEqual({ status: 'pending', attempts: 0 });
});
