import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { truthOfScene } from '../../../models/demo-pack/scene/truth.ts';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { evaluate, type Evaluation } from '../../../src/evaluation/evaluate.ts';
import { parseTruth } from '../../../src/evaluation/truth.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import type { Frame } from '../../../src/video/frame.ts';
import { FakeChain, type ScriptedPerson } from '../../harness/fake-chain.ts';
import { wholeFootage } from '../../harness/footage.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

const SAMPLES = 45;
const scene = truthOfScene();
const { fps, width, height, seconds } = scene.video;

let workspaceDir: string;
beforeAll(async () => {
  workspaceDir = await mkdtemp(join(tmpdir(), 'demo-truth-'));
});
afterAll(async () => {
  await rm(workspaceDir, { recursive: true, force: true });
});

const frameOf = (sample: number): number => Math.ceil((sample * fps) / 1.5 - 1e-9);

async function* sampledFrames(): AsyncGenerator<Frame> {
  for (let sample = 0; sample < SAMPLES; sample++) {
    const index = frameOf(sample);
    yield sharedFrame({ sample, index, t: index / fps, width, height });
  }
}

/** Analyses the scene as perfect models would see it that miss everybody who is visible by less than `visible`. */
async function evaluatePerfectModels(visible: number): Promise<Evaluation> {
  const attributes = new Map(scene.persons.map(({ id, age, gender }) => [id, { age, gender }]));
  const seen = (sample: number): ScriptedPerson[] =>
    (scene.frames[frameOf(sample)]?.persons ?? [])
      .filter((person) => person.visible >= visible)
      .map(({ id, box: [x1, y1, x2, y2], action, orientation }) => ({
        box: [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)],
        action,
        orientation: (Math.round(orientation / 5) * 5) % 360,
        ...attributes.get(id),
      }));
  const info = {
    container: 'mp4',
    codec: 'h264',
    rotation: 0,
    sizeBytes: 1,
    width,
    height,
    frameRate: fps,
    durationSeconds: seconds,
  };
  const analysis = await analyzeVideo(
    {
      videoId: 'demo',
      info,
      frames: sampledFrames(),
      footage: wholeFootage(info),
      workspaceDir,
    },
    { chain: new FakeChain(seen), describer: null },
    { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off' },
    () => undefined,
    new AbortController().signal,
  );
  return evaluate(analysis, parseTruth(JSON.stringify(scene), 'truth.json'));
}

test.each([0.2, 0.3, 0.4, 0.5])(
  'with perfect models that miss persons of whom less than %f can be seen, nobody is mixed up',
  async (visible) => {
    const result = await evaluatePerfectModels(visible);
    expect(result.detection.precision).toBe(1);
    expect(result.detection.recall).toBeGreaterThanOrEqual(0.98);
    expect(result.identity).toEqual({ persons: 7, tracks: 7, switches: 0, switchesInView: 0 });
    expect(result.age.maxError).toBe(0);
    expect(result.gender.accuracy).toBe(1);
    expect(result.orientation.within15).toBe(1);
    expect(result.action.accuracy).toBe(1);
    expect(result.events.f1).toBe(1);
  },
);
