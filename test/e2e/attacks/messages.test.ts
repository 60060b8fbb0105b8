import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { backendMessage, startDaemonGround, storageEvent, type DaemonGround } from '../../harness/daemon-ground.ts';
import { OwnTools } from '../../harness/own-tools.ts';

let ground: DaemonGround;

beforeAll(async () => {
  ground = await startDaemonGround();
});
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

test('a second message about an object in work waits under its lease, its id known at once, and new content is analysed too', async () => {
  await using lane = await ground.lane('twice', 5);
  const tools = await OwnTools.make(ground.folder.at('twice-tools'));
  const more = { ...tools.env, CONCURRENCY: '3', MAX_RETRY_DELAY_SECONDS: '1', LOG_LEVEL: 'debug' };
  const daemon = ground.start(lane, more);
  await daemon.says(/"msg":"polling"/);
  const decoder = await tools.holdBack('ffmpeg');
  await ground.put('twice.mp4');
  await lane.send(storageEvent('twice.mp4'));
  await daemon.says(/"msg":"a job begins"/);
  await lane.send(backendMessage('second-id', 'twice.mp4'));
  // More looks than receives that the queue allows.
  await daemon.says(/another worker is on it/, 6);
  expect(await ground.status('second-id')).toMatchObject({ status: 'processing', attempts: 1 });
  expect(await lane.depth()).toEqual({ visible: 0, held: 2 });

  await ground.put('twice.mp4', ground.otherClip);
  await lane.send(storageEvent('twice.mp4'));
  await daemon.says(/"source":"s3-event".*"msg":"a job begins"/, 2);
  await decoder.open();
  await daemon.says(/"msg":"analysis stored"/, 2);
  await daemon.says(/already analysed/);
  expect(await daemon.stop('SIGTERM')).toBe(0);
  const videos = await ground.database.prisma.video.findMany({
    where: { key: 'twice.mp4' },
    select: { status: true, attempts: true },
  });
  expect(videos).toEqual([1, 2].map(() => ({ status: 'completed', attempts: 1 })));
  expect([...lane.receives.values()]).toEqual([1, 1, 1]);
  expect(await lane.depth()).toEqual({ visible: 0, held: 0 });
  expect(await lane.deadLetters()).toEqual([]);
});

test('a message that two workers died with is ended by a third, and the command says that no reason was left', async () => {
  await using lane = await ground.lane('killed', 2);
  const tools = await OwnTools.make(ground.folder.at('killed-tools'));
  await ground.put('killed.mp4');
  let message: string | null = null;
  for (const worker of ['first', 'second']) {
    await tools.mend();
    // With one slot no poll is open when it dies, to which the queue would hand the message once more.
    const more = { ...tools.env, WORKER_ID: worker, CONCURRENCY: '1', VISIBILITY_TIMEOUT_SECONDS: '60' };
    await using daemon = ground.start(lane, more);
    await daemon.says(/"msg":"polling"/);
    const decoder = await tools.holdBack('ffmpeg');
    if (message === null) message = await lane.send(backendMessage('killed-id', 'killed.mp4'));
    else await lane.endLease(message);
    await decoder.begun();
    await daemon.stop('SIGKILL');
    await decoder.open();
    // Time passes for whoever looks at the run.
    await ground.database.prisma.analysisRun.updateMany({ data: { aliveUntil: new Date(0) } });
  }
  await lane.endLease(message ?? '');
  const sweeper = ground.start(lane, { ...tools.env, WORKER_ID: 'third' });
  await sweeper.says(/ended what no worker and no message is left of/);
  expect(await sweeper.stop('SIGTERM')).toBe(0);
  expect(await ground.status('killed-id')).toMatchObject({
    status: 'failed',
    failureCode: 'WORKER_LOST',
    run: { worker: 'second', outcome: 'failed', failureCode: 'WORKER_LOST' },
  });
  const error = await ground.database.prisma.errorEvent.findFirst({
    where: { externalId: 'killed-id', worker: 'second' },
  });
  expect(error).toMatchObject({ code: 'WORKER_LOST', messageId: message });
  expect((await ground.command(lane, 'dead-letters')).stdout).toMatch(
    /no reason was left: the queue moved it after 2 receives/,
  );
});

test('what fails for now at its last receive goes with its reason, and the queue moves nothing', async () => {
  await using lane = await ground.lane('last', 1);
  const bedrock = createServer((request, response) => {
    request.resume();
    response.writeHead(400, { 'content-type': 'application/json', 'x-amzn-errortype': 'ModelErrorException' });
    response.end('{"message":"the model broke"}');
  });
  bedrock.listen(0, '127.0.0.1');
  await once(bedrock, 'listening');
  const { port } = bedrock.address() as AddressInfo;
  await ground.put('last.mp4');
  const message = await lane.send(backendMessage('last-id', 'last.mp4'));
  const scene = { SCENE: 'bedrock', SCENE_FAILURE: 'fail', BEDROCK_ENDPOINT_URL: `http://127.0.0.1:${port}` };
  const daemon = ground.start(lane, scene);
  await daemon.says(/"msg":"job failed"/);
  expect(await daemon.stop('SIGTERM')).toBe(0);
  bedrock.closeAllConnections();
  bedrock.close();
  const failure = { code: 'SCENE_FAILED', class: 'temporary', reason: expect.stringContaining('the model broke') };
  expect(await lane.deadLetters()).toEqual([{ messageId: message, failure, receives: 1, missing: [] }]);
  expect(await ground.status('last-id')).toMatchObject({ status: 'failed', failureCode: 'SCENE_FAILED' });
  const error = await ground.database.prisma.errorEvent.findFirst({ where: { externalId: 'last-id' } });
  expect(error).toMatchObject({ code: 'SCENE_FAILED', messageId: message, stage: 'scene' });
});

test('every id leaves a row that says how it ended, whatever is wrong with its message or its object', async () => {
  await using lane = await ground.lane('ids', 5);
  await ground.put('folder/', '');
  const about = {
    gone1: [backendMessage('gone1', 'gone.mp4'), 'OBJECT_NOT_FOUND'],
    'folder-id': [backendMessage('folder-id', 'folder/'), 'OBJECT_EMPTY'],
    'broken-id': [
      { eventType: 'video-uploaded', s3: { bucket: 'videos' }, video: { id: 'broken-id' } },
      'MESSAGE_FIELD_MISSING',
    ],
    'text-id': ['not json', 'MESSAGE_NOT_JSON'],
  } as const;
  for (const [id, [body]] of Object.entries(about)) await lane.send(body, { video_id: id });
  await lane.send(storageEvent('folder/'));
  const daemon = ground.start(lane, { WORKER_ID: 'teller' });
  await daemon.says(/"level":"warn".*"code":/, 4);
  await daemon.says(/ignored: the mark of a folder/);
  expect(await daemon.stop('SIGTERM')).toBe(0);
  for (const [id, [, code]] of Object.entries(about)) {
    expect(await ground.status(id)).toMatchObject({ status: 'failed', failureCode: code });
    const error = await ground.database.prisma.errorEvent.findFirst({ where: { externalId: id } });
    expect(error).toMatchObject({ code, worker: 'teller', class: 'permanent' });
  }
  expect((await ground.command(lane, 'status', 'gone1')).stdout).toMatch(/gone1 +failed .*OBJECT_NOT_FOUND/);
  const codes = (await lane.deadLetters()).map(({ failure }) => failure?.code);
  expect(new Set(codes)).toEqual(new Set(Object.values(about).map(([, code]) => code)));
  expect(codes).toHaveLength(Object.keys(about).length);
});
