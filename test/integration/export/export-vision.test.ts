import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { openMebow } from '../../../src/chain/orientation/mebow.ts';
import { openMivolo } from '../../../src/chain/age-gender/mivolo.ts';
import { openYolov8 } from '../../../src/chain/detection/yolov8.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { verifyPack } from '../../../src/packs/verify-pack.ts';
import { exportTest as test } from '../../harness/export-test.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { exportPython, runExport, tinyExport } from '../../harness/tiny-export.ts';

/** Processes of Python on a machine that is busy otherwise. */
const PATIENCE = 300_000;
const width = 320;
const height = 240;

let packs: string;

beforeAll(async () => {
  packs = await tinyExport();
}, PATIENCE);

/** A picture with structure: flat grey would give the same value everywhere. */
function pixels(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    return 128 + 90 * Math.sin(x / (7 + (i % 3)) + y / 11) + 30 * Math.sin(x * y);
  });
}

describe.each(['fp32', 'fp16'])('the %s pack', (precision) => {
  const folder = () => join(packs, precision);

  test('is what its manifest says', async () => {
    expect(await verifyPack(await loadPack(folder()), { hash: true })).toEqual([]);
  });

  test('keeps the interface of the official models', async () => {
    const { manifest } = await loadPack(folder());
    const float = (name: string, ...row: readonly number[]) => [{ name, dtype: 'float32', shape: ['batch', ...row] }];
    expect(manifest.detection).toMatchObject({
      adapter: 'yolov8',
      classes: ['person', 'face'],
      confidence: 0.4,
      iou: 0.7,
    });
    expect(manifest.detection.model).toMatchObject({
      opset: 17,
      inputs: float('images', 3, 640, 640),
      outputs: float('output0', 6, 8400),
    });
    expect(manifest.ageGender).toMatchObject({ adapter: 'mivolo', minAge: 1, maxAge: 95, avgAge: 48 });
    expect(manifest.ageGender.model).toMatchObject({
      inputs: float('input', 6, 224, 224),
      outputs: float('output', 3),
    });
    expect(manifest.orientation).toMatchObject({ adapter: 'mebow', crop: 'affine', scale: 1.25, bins: 72 });
    expect(manifest.orientation.model).toMatchObject({
      inputs: float('input', 3, 256, 192),
      outputs: float('output', 72),
    });
  });

  test('has small files', async () => {
    const files = await readdir(folder());
    for (const file of files) expect((await stat(join(folder(), file))).size).toBeLessThan(3_000_000);
    expect(files).toHaveLength(9);
  });
});

test('no graph holds an operator that would leave the GPU', async () => {
  const report = JSON.parse(await readFile(join(packs, 'report.json'), 'utf8')) as {
    readonly parts: Record<string, { readonly operators: Record<string, Record<string, number>> }>;
  };
  for (const part of ['detection', 'age-gender', 'orientation']) {
    for (const precision of ['fp32', 'fp16']) {
      const operators = Object.keys(report.parts[part]!.operators[precision]!);
      expect(operators).toContain('Conv');
      for (const slow of ['Col2Im', 'BatchNormalization', 'Shape', 'ScatterND', 'NonZero', 'Loop', 'If']) {
        expect(operators).not.toContain(slow);
      }
    }
  }
});

test('the reference adapters run both packs, and half precision reads nearly the same', async () => {
  const frame = { width, height, pixels: pixels() };
  const body = { class: 'person', box: { x1: 40, y1: 20, x2: 160, y2: 220 }, score: 1 } as const;
  const face = { class: 'face', box: { x1: 80, y1: 30, x2: 120, y2: 75 }, score: 1 } as const;
  const pairs = [
    { person: 0, face: 1 },
    { person: 0, face: null },
    { person: null, face: 1 },
  ];
  const readings = [];
  for (const precision of ['fp32', 'fp16']) {
    const pack = await loadPack(join(packs, precision));
    const options = stageOptions({ limit: 4 });
    const [detector, ageGender, orientation] = [
      await openYolov8(pack, options),
      await openMivolo(pack, options),
      await openMebow(pack, options),
    ];
    const [detections] = await detector.run([frame]);
    const ages = await ageGender.run(pairs.map((pair) => ({ frame, detections: [body, face], pair })));
    const [angle] = await orientation.run([{ frame, box: body.box }]);
    readings.push({ detections: detections!, ages: ages.map((age) => age!.age), angle: angle! });
    await Promise.all([detector.release(), ageGender.release(), orientation.release()]);
  }
  const [single, half] = readings;
  expect(single!.detections.length).toBeGreaterThan(0);
  expect(Math.abs(single!.detections[0]!.score - half!.detections[0]!.score)).toBeLessThan(0.05);
  expect(new Set(single!.ages).size).toBe(3);
  single!.ages.forEach((age, i) => expect(Math.abs(age - half!.ages[i]!)).toBeLessThan(2));
  expect(Math.abs(single!.angle.score - half!.angle.score)).toBeLessThan(0.05);
});

describe('refusals', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'export-refusals-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  async function refusal(...options: readonly string[]): Promise<string> {
    const record = ['--record', join(folder, 'record.json'), '--downloads', join(folder, 'downloads')];
    const error: unknown = await runExport('--out', join(folder, 'out'), ...record, ...options).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).not.toContain('Traceback');
    return (error as Error).message;
  }

  test(
    'without the licences being accepted they are shown and nothing is fetched',
    async () => {
      const text = await refusal();
      for (const licence of ['AGPL-3.0', 'MiVOLO public licence', 'research only', 'apple-amlr', '--accept-licences']) {
        expect(text).toContain(licence);
      }
      expect(await readdir(folder)).not.toContain('downloads');
    },
    PATIENCE,
  );

  // Which files are refused, and with which words, is a matter of the Python tests below: each process here loads torch.
  test(
    'a file that nobody can download, and that was not given',
    async () => {
      expect(await refusal('--accept-licences', '--only', 'orientation')).toContain('--orientation FILE');
    },
    PATIENCE,
  );
});

test(
  'what the Python tests say: checkpoints, downloads, architectures, graphs',
  async () => {
    await exportPython('-W', 'ignore::ResourceWarning', '-m', 'unittest', 'discover', '-s', 'tests', '-t', '.');
  },
  PATIENCE,
);
