import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderVideo } from '../../scripts/demo-video/render.ts';
import { FPS } from '../../scripts/demo-video/scene.ts';
import { truthOfScene } from '../../scripts/demo-video/truth.ts';
import type { Evaluation } from '../../src/analysis/evaluate.ts';
import type { Aim } from '../../src/analysis/evaluation/aims.ts';
import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';

/** A part of the scene with six people, one of whom falls behind another who pays. */
const FROM = 13.6;
const SECONDS = 4;
const dir = mkdtempSync(join(tmpdir(), 'evaluate-e2e-'));
const truthFile = join(dir, 'store.truth.json');
const analysisFile = join(dir, 'analysis.json');

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function videoWorker(...args: readonly string[]): Promise<Answer> {
  return await new Promise((done) => {
    execFile(
      'node_modules/.bin/node',
      ['--disable-warning=ExperimentalWarning', 'src/cli/video-worker.ts', ...args],
      { env: { PATH: process.env['PATH'], DEVICE: 'cpu', WORK_DIR: join(dir, 'work') }, timeout: 60_000 },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

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
  await renderVideo(join(dir, 'store.mp4'), AbortSignal.timeout(60_000), SECONDS, FROM);
  writeFileSync(truthFile, JSON.stringify(truthOfPart()));
}, 60_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the demo pack reaches the aims on a part of its scene, as a table and as JSON', async () => {
  const made = await videoWorker('analyze', join(dir, 'store.mp4'), '--fps', '3', '--json', analysisFile);
  expect(made).toMatchObject({ code: 0 });
  const answer = await videoWorker('evaluate', '--truth', truthFile, '--fps', '3', '--aims', '--json');
  expect(answer).toMatchObject({ code: 0 });
  const { evaluation, aims } = JSON.parse(answer.stdout) as { evaluation: Evaluation; aims: Aim[] };
  expect(evaluation).toMatchObject({ frames: 12, gender: { accuracy: 1 }, orientation: { within15: 1, within30: 1 } });
  expect(evaluation.detection.expected).toBeGreaterThan(40);
  expect(evaluation.events.expected).toBeGreaterThan(3);
  expect(aims.map(({ met }) => met)).toEqual([true, true, true, true, true, true]);
  const table = await videoWorker('evaluate', '--truth', truthFile, '--analysis', analysisFile, '--aims');
  expect(table).toMatchObject({ code: 0, stderr: '' });
  expect(table.stdout).toMatch(/^persons +\d+ of \d+ found, 0 invented \(recall 100\.0 %/m);
  expect(table.stdout).toMatch(/^met {4}identity switches in view: at most 0, found 0$/m);
}, 90_000);

test('a worse analysis fails and names the aims that it misses', async () => {
  const analysis = JSON.parse(readFileSync(analysisFile, 'utf8')) as VideoAnalysis;
  const frames = analysis.frames.map((frame, i) => ({
    ...frame,
    detections: i % 2 === 0 ? [] : frame.detections.map((detection) => ({ ...detection, action: 'sitting' })),
  }));
  const worse = join(dir, 'worse.json');
  writeFileSync(worse, JSON.stringify({ ...analysis, frames }));
  const answer = await videoWorker('evaluate', '--truth', truthFile, '--analysis', worse, '--aims');
  expect(answer.code).toBe(6);
  expect(answer.stderr).toBe('missed: recall of visible persons; action right, share of readings\n');
  expect(await videoWorker('evaluate', '--truth', truthFile, '--analysis', worse)).toMatchObject({ code: 0 });
}, 60_000);

test('files that are not what they should be are refused with the field', async () => {
  const wrong = join(dir, 'wrong.json');
  writeFileSync(wrong, '{"version": 2}');
  const answer = await videoWorker('evaluate', '--truth', truthFile, '--analysis', wrong);
  expect(answer.code).toBe(1);
  expect(answer.stderr).toMatch(/CONFIG_INVALID: analysis file .*wrong\.json is not valid: version: /);
  expect(await videoWorker('evaluate')).toMatchObject({ code: 1 });
}, 60_000);
