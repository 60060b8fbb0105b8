import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { boxIou } from '../../../src/vision/iou.ts';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import type { ModelChain } from '../../../src/chain/model-chain.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import type { AnalysedFrame, BoxTuple, VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { withDecodedFrames, type DecodeOptions } from '../../../src/video/decode/decode.ts';
import { createFramePool } from '../../../src/video/frames/frame-pool.ts';
import { locateFfmpeg } from '../../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo, type VideoLimits } from '../../../src/video/probe/probe.ts';
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

const LIMITS: VideoLimits = {
  maxDurationSeconds: 200,
  maxPixels: 1_000_000,
  maxFrameRate: 60,
  maxFrames: 2_000,
  maxStreams: 8,
  timeoutMs: 60_000,
};
const DECODING: DecodeOptions = {
  framesPerSecond: 1.5,
  stallTimeoutMs: 120_000,
  wallTimeoutMs: 600_000,
  maxFrames: 2_000,
  maxDurationSeconds: 600,
  threads: 1,
  pool: createFramePool(),
};

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

const title = present ? 'the chain on real footage' : `the chain on real footage (there is no ${expectedFile})`;

(present ? describe : describe.skip)(title, () => {
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
      localScenes: false,
    });
    const { signal } = new AbortController();
    const tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
    const info = await probeVideo(tools, clip, LIMITS, signal);
    analysis = await withDecodedFrames([tools, clip, info, DECODING, signal], (video) =>
      analyzeVideo(
        { videoId: 'street', info, ...video, workspaceDir },
        { chain, describer: null },
        { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', actionEverySamples: 30, attributeReadings: 2 },
        () => undefined,
        signal,
      ),
    );
    frames = new Map(analysis.frames.map((frame) => [frame.index, frame]));
  });

  afterAll(async () => {
    await chain?.close();
    await rm(workspaceDir, { recursive: true, force: true });
  });

  test('samples frame ceil(20k/3) for each k, as the expectations were made', () => {
    const indices = Array.from({ length: 209 }, (_, k) => Math.ceil((20 * k) / 3));
    expect(analysis.frames.map(({ index }) => index)).toEqual(indices);
    expect(expected.samples.map(({ frameIndex }) => frameIndex)).toEqual(indices);
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
