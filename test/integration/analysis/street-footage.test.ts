import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { boxIou } from '../../../src/vision/iou.ts';
import { createModelChain } from '../../../src/analysis/chain/create-model-chain.ts';
import type { ModelChain } from '../../../src/analysis/model-chain.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import type { AnalysedFrame, BoxTuple, VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { loadPack } from '../../../src/inference/load-pack.ts';
import type { Frame } from '../../../src/video/frame.ts';
import type { VideoInfo } from '../../../src/video/video-info.ts';
import type { Box } from '../../../src/vision/box.ts';

interface ExpectedBox {
  readonly box: BoxTuple;
  readonly score: number;
  readonly stable?: boolean;
}

interface ExpectedSample {
  readonly frameIndex: number;
  readonly pts: number;
  readonly detections: readonly ExpectedBox[];
  readonly belowThreshold: readonly ExpectedBox[];
}

interface Expected {
  readonly video: string;
  readonly samples: readonly ExpectedSample[];
}

const packDir = resolve(import.meta.dirname, '../../packs/street');
const { filesRoot } = JSON.parse(readFileSync(join(packDir, 'manifest.json'), 'utf8')) as { filesRoot: string };
const expectedFile = resolve(packDir, filesRoot, 'expected-detections.json');
const present = existsSync(expectedFile);

const toBox = ([x1, y1, x2, y2]: BoxTuple): Box => ({ x1, y1, x2, y2 });

const CLIP: VideoInfo = {
  container: 'mov,mp4',
  codec: 'h264',
  pixelFormat: 'yuv420p',
  width: 768,
  height: 432,
  rotation: 0,
  frameRate: 10,
  durationSeconds: 139.4,
  sizeBytes: 0,
};

/** Exactly the frames that the expectations were made on: every frame is decoded, the expected ones are passed on. */
async function* sampledFrames(clip: string, samples: readonly ExpectedSample[]): AsyncGenerator<Frame> {
  const { width, height } = CLIP;
  const size = width * height * 3;
  const wanted = new Map(samples.map(({ frameIndex, pts }, sample) => [frameIndex, { sample, pts }]));
  const args = ['-v', 'error', '-i', clip, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const ffmpeg = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let pixels = new Uint8Array(new ArrayBuffer(size));
    let [filled, index] = [0, 0];
    for await (const chunk of ffmpeg.stdout as AsyncIterable<Buffer>) {
      for (let offset = 0; offset < chunk.length;) {
        const part = chunk.subarray(offset, offset + size - filled);
        pixels.set(part, filled);
        filled += part.length;
        offset += part.length;
        if (filled < size) continue;
        const place = wanted.get(index);
        if (place !== undefined) {
          yield { sample: place.sample, index, t: place.pts, width, height, pixels };
          pixels = new Uint8Array(new ArrayBuffer(size));
        }
        filled = 0;
        index += 1;
      }
    }
  } finally {
    ffmpeg.kill('SIGKILL');
  }
}

/**
 * The clip shows one person at a time. A walk is a run of sampled frames with a sure box (0.6 or more) in which no pause
 * is longer than what tracking bridges; boxes less sure may be the floor where somebody has just left.
 */
function walksOf(samples: readonly ExpectedSample[]): ExpectedSample[][] {
  const { newTrackScore, maxGapSeconds } = DEFAULT_ANALYSIS_SETTINGS.tracking;
  const walks: ExpectedSample[][] = [];
  for (const sample of samples) {
    if (sample.detections.every(({ score }) => score < newTrackScore)) continue;
    const last = walks.at(-1)?.at(-1);
    if (last !== undefined && sample.pts - last.pts <= maxGapSeconds) walks.at(-1)?.push(sample);
    else walks.push([sample]);
  }
  return walks;
}

if (!present) console.warn(`skipped: the street pack is not at ${expectedFile}`);

(present ? describe : describe.skip)('the chain on real footage', () => {
  let expected: Expected;
  let chain: ModelChain;
  let analysis: VideoAnalysis;
  let frames: ReadonlyMap<number, AnalysedFrame>;
  let workspaceDir: string;

  beforeAll(async () => {
    expected = JSON.parse(readFileSync(expectedFile, 'utf8')) as Expected;
    const clip = resolve(packDir, filesRoot, '../../videos', expected.video);
    workspaceDir = await mkdtemp(join(tmpdir(), 'street-'));
    chain = await createModelChain({
      pack: await loadPack(packDir),
      device: 'cpu',
      threads: { vision: 1, language: 1 },
      batch: { detection: 4, people: 4, language: 4 },
    });
    const { signal } = new AbortController();
    analysis = await analyzeVideo(
      { videoId: 'street', info: CLIP, frames: sampledFrames(clip, expected.samples), workspaceDir },
      { chain, describer: null },
      { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', actionEverySamples: 30, attributeReadings: 2 },
      () => undefined,
      signal,
    );
    frames = new Map(analysis.frames.map((frame) => [frame.index, frame]));
  });

  afterAll(async () => {
    await chain?.close();
    await rm(workspaceDir, { recursive: true, force: true });
  });

  test('finds at least 98 % of the stable boxes, at IoU 0.9 and within 0.02 of the score', () => {
    const stable = expected.samples.flatMap(({ frameIndex, detections }) =>
      detections.filter((box) => box.stable === true).map((box) => ({ frameIndex, ...box })),
    );
    const found = stable.filter(({ frameIndex, box, score }) =>
      frames
        .get(frameIndex)
        ?.detections.some((d) => boxIou(toBox(d.box), toBox(box)) >= 0.9 && Math.abs(d.score - score) <= 0.02),
    );
    expect(stable.length).toBeGreaterThan(200);
    expect(found.length / stable.length).toBeGreaterThanOrEqual(0.98);
  });

  test('at most 2 % of the boxes are neither expected nor near misses', () => {
    const boxes = expected.samples.flatMap(({ frameIndex, detections, belowThreshold }) =>
      (frames.get(frameIndex)?.detections ?? []).map((found) => ({ found, known: [...detections, ...belowThreshold] })),
    );
    const unknown = boxes.filter(({ found, known }) =>
      known.every(({ box }) => boxIou(toBox(found.box), toBox(box)) < 0.8),
    );
    expect(boxes.length).toBeGreaterThan(200);
    expect(unknown.length / boxes.length).toBeLessThanOrEqual(0.02);
  });

  test('one track per person who walks through, however many boxes the detector puts on them', () => {
    const walks = walksOf(expected.samples);
    const tracksOf = walks.map((walk) => {
      const ids = walk.flatMap(({ frameIndex }) =>
        (frames.get(frameIndex)?.detections ?? []).flatMap(({ track }) => track ?? []),
      );
      return [...new Set(ids)];
    });
    expect(walks.length).toBe(6);
    expect(tracksOf).toEqual([[1], [2], [3], [4], [5], [6]]);
    expect(analysis.tracks).toHaveLength(6);
  });

  test('every sure box of a walk belongs to its person or lies on the person', () => {
    const sure = analysis.frames.flatMap(({ detections }) => detections.filter(({ score }) => score >= 0.8));
    const withTrack = sure.filter(({ track }) => track !== null);
    expect(withTrack.length / sure.length).toBeGreaterThanOrEqual(0.99);
  });
});
