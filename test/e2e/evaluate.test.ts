import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import { FPS } from '../../models/demo-pack/scene/scene.ts';
import { truthOfScene } from '../../models/demo-pack/scene/truth.ts';
import type { Evaluation } from '../../src/evaluation/evaluate.ts';
import type { Aim } from '../../src/evaluation/aims.ts';
import { parseTruth } from '../../src/evaluation/truth.ts';
import type { ObservedDetection } from '../../src/analysis/video-analysis.ts';
import { sampleAnalysis, sampleDetection } from '../harness/analysis-sample.ts';
import { runVideoWorker } from '../harness/operator-command.ts';
import type { Ended } from '../harness/run-program.ts';

/** A part of the scene with six people, one of whom falls behind another who pays. */
const FROM = 13.6;
const SECONDS = 4;
const dir = mkdtempSync(join(tmpdir(), 'evaluate-e2e-'));
const truthFile = join(dir, 'store.truth.json');

const videoWorker = (...args: readonly string[]): Promise<Ended> =>
  runVideoWorker(args, { WORK_DIR: join(dir, 'work') });

/** The scene's truth as that of a video which begins at FROM. */
function truthOfPart(): object {
  const first = Math.round(FROM * FPS);
  const truth = truthOfScene(Array.from({ length: SECONDS * FPS }, (_, i) => first + i));
  const present = new Set(truth.frames.flatMap(({ persons }) => persons.map(({ id }) => id)));
  return {
    ...truth,
    persons: truth.persons.filter(({ id }) => present.has(id)),
    frames: truth.frames.map((frame) => ({ ...frame, index: frame.index - first, seconds: frame.seconds - FROM })),
    events: truth.events.map((event) => ({
      ...event,
      beginSeconds: event.beginSeconds - FROM,
      endSeconds: event.endSeconds - FROM,
    })),
  };
}

beforeAll(async () => {
  await renderVideo(join(dir, 'store.mp4'), AbortSignal.timeout(180_000), SECONDS, FROM);
  writeFileSync(truthFile, JSON.stringify(truthOfPart()));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Writes an analysis of the part's every eighth frame that sees everybody who can be seen; `changes` alters what it sees. */
function writeAnalysis(
  name: string,
  changes: (seen: ObservedDetection, frame: number) => Partial<ObservedDetection>,
): string {
  const truth = parseTruth(readFileSync(truthFile, 'utf8'), truthFile);
  const trackOf = (id: string): number => truth.persons.findIndex((person) => person.id === id) + 1;
  const frames = truth.frames
    .filter(({ index }) => index % 8 === 0)
    .map(({ index, seconds, persons }, frame) => ({
      index,
      t: seconds,
      overlaps: [],
      detections: persons
        .filter(({ visible }) => visible >= 0.4)
        .map(({ id, box, orientation, action }) => {
          const [x1, y1, x2, y2] = box;
          const inside = [Math.max(0, x1), Math.max(0, y1), Math.min(1280, x2), Math.min(720, y2)] as const;
          const seen = sampleDetection({ track: trackOf(id), box: inside, orientation, action });
          return { ...seen, ...changes(seen, frame) };
        }),
    }));
  const tracks = truth.persons.map(({ id, age, gender }) => ({
    ...sampleAnalysis().tracks[0]!,
    id: trackOf(id),
    age,
    gender,
  }));
  const file = join(dir, name);
  const sampling = {
    framesPerSecond: 25 / 8,
    frames: frames.length,
    attributes: 'per-track',
    decode: 'exact',
  } as const;
  writeFileSync(file, JSON.stringify(sampleAnalysis({ frames, tracks, sampling, events: [] })));
  return file;
}

test('the demo pack reaches the aims on a part of its scene', async () => {
  const answer = await videoWorker('evaluate', '--truth', truthFile, '--fps', '3', '--aims', '--json');
  expect(answer).toMatchObject({ code: 0 });
  const { evaluation, aims } = JSON.parse(answer.stdout) as { evaluation: Evaluation; aims: Aim[] };
  expect(evaluation).toMatchObject({ frames: 12, gender: { accuracy: 1 }, orientation: { within15: 1, within30: 1 } });
  expect(evaluation.detection.expected).toBeGreaterThan(40);
  expect(evaluation.events.expected).toBeGreaterThan(3);
  expect(aims.map(({ met }) => met)).toEqual([true, true, true, true, true, true]);
});

test('an analysis that is there is compared as a table; one that is worse fails and names the aims that it misses', async () => {
  const good = writeAnalysis('good.json', () => ({}));
  const table = await videoWorker('evaluate', '--truth', truthFile, '--analysis', good, '--aims');
  expect(table).toMatchObject({ code: 0, stderr: '' });
  expect(table.stdout).toMatch(/^persons +\d+ of \d+ found, 0 invented \(recall 100\.0 %/m);
  expect(table.stdout).toMatch(/^met {4}identity switches in view: at most 0, found 0$/m);
  const worse = writeAnalysis('worse.json', ({ box }, frame) => ({
    action: 'sitting',
    box: frame % 2 === 0 ? box : [0, 0, 1, 1],
  }));
  const answer = await videoWorker('evaluate', '--truth', truthFile, '--analysis', worse, '--aims');
  expect(answer.code).toBe(6);
  expect(answer.stderr).toBe(
    'missed: recall of visible persons; precision of persons; action right, share of readings\n',
  );
});

test('files that are not what they should be are refused with the field', async () => {
  const wrong = join(dir, 'wrong.json');
  writeFileSync(wrong, '{"version": 2}');
  const answer = await videoWorker('evaluate', '--truth', truthFile, '--analysis', wrong);
  expect(answer.code).toBe(1);
  expect(answer.stderr).toMatch(/CONFIG_INVALID: analysis file .*wrong\.json is not valid: version: /);
});
