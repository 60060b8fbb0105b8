import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { preparePack } from '../../src/preparation/prepare-pack.ts';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import { benchFirstPoll } from './first-poll.ts';
import { thisMachine } from './machine.ts';
import { benchPersistence } from './persistence.ts';
import type { PipelineRun } from './pipeline-run.ts';

const root = resolve(import.meta.dirname, '../..');
const DEMO_PACK = join(root, 'models/demo');
const STREET_PACK = join(root, 'test/packs/street');
const LONG_SECONDS = 600;
const say = (text: string): void => console.error(text);

/** One video in a process of its own, so that its peak memory is its own. */
async function measure(packDir: string, video: string): Promise<PipelineRun> {
  const child = fork(join(import.meta.dirname, 'pipeline-run.ts'), [packDir, video]);
  const closed = once(child, 'close');
  const [answer] = (await Promise.race([
    once(child, 'message'),
    closed.then(([code]) => Promise.reject(new Error(`the run of ${video} ended with status ${String(code)}`))),
  ])) as [PipelineRun];
  await closed;
  return answer;
}

/** The real clip of the street pack; null where the pack's files are not on this machine. */
function streetClip(): string | null {
  const { filesRoot } = JSON.parse(readFileSync(join(STREET_PACK, 'manifest.json'), 'utf8')) as { filesRoot: string };
  const expected = resolve(STREET_PACK, filesRoot, 'expected-detections.json');
  if (!existsSync(expected)) return null;
  const { video } = JSON.parse(readFileSync(expected, 'utf8')) as { video: string };
  return resolve(STREET_PACK, filesRoot, '../../videos', video);
}

async function prepared(packDir: string, folder: string): Promise<string> {
  return (await preparePack(packDir, join(folder, 'prepared'))).dir;
}

/** Speed, shares of the wall time, event-loop delay and memory of the whole chain on the CPU, and rows per second. */
export async function benchPipeline(): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const demo = join(folder, 'demo.mp4');
    const long = join(folder, 'long.mp4');
    say('rendering the demo scene');
    await renderVideo(demo, AbortSignal.timeout(300_000));
    const loop = ['-v', 'error', '-stream_loop', '-1', '-i', demo, '-t', String(LONG_SECONDS), '-c', 'copy', long];
    await promisify(execFile)('ffmpeg', loop);
    say('demo scene, 30 s');
    const short = await measure(DEMO_PACK, demo);
    say('demo scene in a loop, 10 min');
    const tenMinutes = await measure(DEMO_PACK, long);
    const clip = streetClip();
    say(clip === null ? 'street footage skipped: its files are not here' : 'street footage');
    const street = clip === null ? 'skipped: its files are not here' : await measure(STREET_PACK, clip);
    if (clip !== null) say('street footage, prepared pack');
    const streetPrepared =
      clip === null ? 'skipped: its files are not here' : await measure(await prepared(STREET_PACK, folder), clip);
    say('rows');
    const persistence = await benchPersistence();
    say('starts of the daemon');
    const firstPoll = await benchFirstPoll();
    return {
      machine: thisMachine(),
      demo: short,
      tenMinutes,
      memoryRatio: Number((tenMinutes.peakMiB / short.peakMiB).toFixed(2)),
      street,
      streetPrepared,
      persistence,
      firstPoll,
      gpu: 'not measured',
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
