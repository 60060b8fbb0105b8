import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildDemoPack } from '../../../models/demo-pack/build.ts';
import { DemoModels } from '../../../models/demo-pack/demo-models.ts';
import { evaluateFrames, type SceneFrame } from '../../../models/demo-pack/evaluation.ts';
import { renderVideo } from '../../../models/demo-pack/scene/render.ts';
import { FPS, HEIGHT, sceneAt, WIDTH } from '../../../models/demo-pack/scene/scene.ts';
import { truthOfScene } from '../../../models/demo-pack/scene/truth.ts';
import { runProgram } from '../../harness/run-program.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';
import { videoFrames } from '../../harness/video-frames.ts';
import { pictureOf } from './pictures.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder('demo-video');
});
afterAll(() => folder.remove());

describe('the renderer', () => {
  test('writes the same bytes each time: H.264, 1280x720, 25 frames a second, with its colour matrix', async () => {
    const [first, second] = [folder.at('a.mp4'), folder.at('b.mp4')];
    await renderVideo(first, AbortSignal.timeout(180_000), 1.6);
    await renderVideo(second, AbortSignal.timeout(180_000), 1.6);
    expect(Buffer.compare(await readFile(first), await readFile(second))).toBe(0);
    const entries = 'codec_name,width,height,pix_fmt,color_space,r_frame_rate,nb_frames';
    const query = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', `stream=${entries}`, '-of', 'json'];
    const { streams } = JSON.parse((await runProgram('ffprobe', [...query, first])).stdout) as {
      streams: readonly object[];
    };
    expect(streams).toEqual([
      {
        codec_name: 'h264',
        width: WIDTH,
        height: HEIGHT,
        pix_fmt: 'yuv420p',
        color_space: 'bt709',
        r_frame_rate: '25/1',
        nb_frames: '40',
      },
    ]);
  });

  test('tells why ffmpeg failed', async () => {
    const out = folder.at('video.unknown');
    await expect(renderVideo(out, AbortSignal.timeout(180_000), 0.2)).rejects.toThrow(
      /could not encode .*video\.unknown/,
    );
  });

  test('ends with the signal', async () => {
    const abort = new AbortController();
    const running = renderVideo(folder.at('c.mp4'), abort.signal);
    abort.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the pack on the scene', () => {
  test('sees nearly everyone and everything right through the compressed video', async () => {
    const video = folder.at('scene.mp4');
    // Four seconds with six people, one of them falling behind another who pays.
    const [from, seconds] = [13.6, 4];
    await renderVideo(video, AbortSignal.timeout(180_000), seconds, from);
    const frames = await framesOf(video, Math.round(from * FPS), seconds * FPS, 20);
    const truth = truthOfScene(frames.map((frame) => frame.index));
    const models = await DemoModels.open(buildDemoPack());
    const result = await evaluateFrames(models, truth, frames);
    await models.close();
    expect(result.persons.expected).toBeGreaterThan(20);
    expect(result.persons.recall).toBeGreaterThanOrEqual(0.98);
    expect(result.persons.precision).toBeGreaterThanOrEqual(0.98);
    expect(result.persons.meanIou).toBeGreaterThan(0.85);
    expect(result.age.meanError).toBeLessThan(2);
    expect(result.gender.accuracy).toBe(1);
    expect(result.orientation.meanError).toBeLessThan(10);
    expect(result.action.accuracy).toBeGreaterThanOrEqual(0.95);
  });

  test('and through drawn pictures of the whole half minute', async () => {
    const frames = Array.from({ length: 6 }, (_, index): SceneFrame => {
      const frame = 75 + index * 125;
      return { index: frame, picture: pictureOf(...sceneAt(frame / FPS)) };
    });
    const truth = truthOfScene(frames.map((frame) => frame.index));
    const models = await DemoModels.open(buildDemoPack());
    const result = await evaluateFrames(models, truth, frames);
    await models.close();
    expect(result.persons.recall).toBeGreaterThanOrEqual(0.95);
    expect([result.persons.spurious, result.faces.missed, result.faces.spurious]).toEqual([0, 0, 0]);
    expect(result.age.meanError).toBeLessThan(2);
    expect(result.orientation.meanError).toBeLessThan(10);
    expect(result.action.accuracy).toBeGreaterThanOrEqual(0.9);
  });
});

/** Every so many frames of a part of the scene, with their numbers in the scene. */
async function framesOf(
  video: string,
  firstIndex: number,
  count: number,
  step: number,
): Promise<readonly SceneFrame[]> {
  const indices = Array.from({ length: Math.ceil(count / step) }, (_, order) => order * step);
  const frames = await videoFrames(video, indices, { width: WIDTH, height: HEIGHT });
  return frames.map(({ index, ...picture }) => ({ index: firstIndex + index, picture }));
}
