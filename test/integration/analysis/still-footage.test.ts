import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import type { FrameHandle } from '../../../src/chain/model-chain.ts';
import { withDecodedFrames } from '../../../src/video/decode/decode.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { pictureDifference } from '../../../src/vision/picture-difference.ts';
import { FakeChain, type Script } from '../../harness/fake-chain.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';

const SECONDS = 12;
const ENCODING = ['-t', String(SECONDS), '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '28', '-pix_fmt', 'yuv420p'];

let folder: string;
let tools: FfmpegTools;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'still-footage-'));
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A still scene with what the filter makes of it, as a camera's encoder writes it; `[0]` is the scene, `[1]` a small person. */
async function film(name: string, filter: string): Promise<string> {
  const file = join(folder, `${name}.mp4`);
  const scene = ['-f', 'lavfi', '-i', 'smptebars=size=640x360:rate=12'];
  const person = ['-f', 'lavfi', '-i', 'color=0x707070:size=9x20:rate=12'];
  const args = ['-v', 'error', '-y', ...scene, ...person, '-filter_complex', `${filter}[out]`, '-map', '[out]'];
  await promisify(execFile)(tools.ffmpeg, [...args, ...ENCODING, file], { timeout: 60_000 });
  return file;
}

/** Analysed by models that answer from a script, and compared by what the frames really show. */
async function analyse(file: string, script: Script): Promise<VideoAnalysis> {
  const { signal } = new AbortController();
  const chain = new FakeChain(script);
  const pictures = new Map<FrameHandle, Picture>();
  const add = chain.addFrame.bind(chain);
  chain.addFrame = (frame) => {
    const { width, height } = frame;
    const pixels = Uint8Array.from(frame.pixels);
    const handle = add(frame);
    pictures.set(handle, { width, height, pixels });
    return handle;
  };
  chain.difference = async (handle, other) => {
    const [picture, before] = [pictures.get(handle), pictures.get(other)];
    if (picture === undefined || before === undefined) throw new Error('a frame that was never added');
    return pictureDifference(picture, before);
  };
  const info = await probeVideo(tools, file, SMALL_VIDEO_LIMITS, signal);
  return await withDecodedFrames([tools, file, info, SMALL_VIDEO_DECODING, signal], (video) =>
    analyzeVideo(
      { videoId: 'still', info, ...video, workspaceDir: folder },
      { chain, describer: null },
      { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', stillPictures: 'reuse' },
      () => undefined,
      signal,
    ),
  );
}

const nobody: Script = () => [];

test('of footage that stands still one frame in ten seconds is analysed', async () => {
  const { work, frames } = await analyse(await film('static', '[0]copy'), nobody);
  expect(frames).toHaveLength(18);
  expect(work?.detection).toEqual({ read: 2, leftOut: { stillPicture: 16 } });
});

test('noise and compression are no change', async () => {
  const { work } = await analyse(await film('noise', '[0]noise=alls=8:allf=t'), nobody);
  expect(work?.detection).toEqual({ read: 2, leftOut: { stillPicture: 16 } });
});

test('a small person who walks in is seen in the first frame that shows them, and in all of them until they are gone', async () => {
  const walks = "[0]noise=alls=8:allf=t[scene];[scene][1]overlay=x='if(lt(t,4.9),-20,(t-5)*30)':y=201:eval=frame";
  const file = await film('walks', walks);
  const begin = Math.ceil(5 * 1.5);
  const walker: Script = (sample) => {
    const x = Math.round((sample / 1.5 - 5) * 30);
    return sample < begin ? [] : [{ box: [x, 201, x + 9, 221], action: 'walking' }];
  };
  const { work, frames, tracks } = await analyse(file, walker);
  const seen = frames.flatMap(({ detections }, sample) => (detections.length > 0 ? [sample] : []));
  expect(seen).toEqual(Array.from({ length: 18 - begin }, (_, n) => begin + n));
  expect(tracks).toHaveLength(1);
  expect(work?.detection).toEqual({ read: 1 + 18 - begin, leftOut: { stillPicture: begin - 1 } });
});
