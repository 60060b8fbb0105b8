import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildDemoPack } from '../../../models/demo-pack/build.ts';
import { DemoModels } from '../../../models/demo-pack/demo-models.ts';
import { evaluateFrames, type SceneFrame } from '../../../models/demo-pack/evaluation.ts';
import { renderVideo } from '../../../models/demo-pack/scene/render.ts';
import { FPS, HEIGHT, sceneAt, WIDTH } from '../../../models/demo-pack/scene/scene.ts';
import { truthOfScene } from '../../../models/demo-pack/scene/truth.ts';
import { pictureOf } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-video-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the renderer', () => {
  test('writes the same bytes each time: H.264, 1280x720, 25 frames a second, with its colour matrix', async () => {
    const [first, second] = [join(folder, 'a.mp4'), join(folder, 'b.mp4')];
    await renderVideo(first, AbortSignal.timeout(180_000), 1.6);
    await renderVideo(second, AbortSignal.timeout(180_000), 1.6);
    expect(Buffer.compare(await readFile(first), await readFile(second))).toBe(0);
    const entries = 'codec_name,width,height,pix_fmt,color_space,r_frame_rate,nb_frames';
    const query = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', `stream=${entries}`, '-of', 'json'];
    const { streams } = JSON.parse(execFileSync('ffprobe', [...query, first], { encoding: 'utf8' })) as {
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
    const out = join(folder, 'video.unknown');
    await expect(renderVideo(out, AbortSignal.timeout(180_000), 0.2)).rejects.toThrow(
      /could not encode .*video\.unknown/,
    );
  });

  test('ends with the signal', async () => {
    const abort = new AbortController();
    const running = renderVideo(join(folder, 'c.mp4'), abort.signal);
    abort.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the pack on the scene', () => {
  test('sees nearly everyone and everything right through the compressed video', async () => {
    const video = join(folder, 'scene.mp4');
    // Four seconds with six people, one of them falling behind another who pays.
    const [from, seconds] = [13.6, 4];
    await renderVideo(video, AbortSignal.timeout(180_000), seconds, from);
    const frames = framesOf(video, Math.round(from * FPS), 20);
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

function framesOf(video: string, firstIndex: number, step: number): readonly SceneFrame[] {
  const filter = ['-vf', `select='not(mod(n,${step}))'`, '-vsync', '0'];
  const raw = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', video, ...filter, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    {
      maxBuffer: 2 ** 30,
    },
  );
  const bytes = WIDTH * HEIGHT * 3;
  return Array.from({ length: raw.length / bytes }, (_, order) => ({
    index: firstIndex + order * step,
    picture: {
      width: WIDTH,
      height: HEIGHT,
      pixels: new Uint8Array(raw.subarray(order * bytes, (order + 1) * bytes)),
    },
  }));
}
