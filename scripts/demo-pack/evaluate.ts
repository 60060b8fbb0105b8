import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Picture } from '../../src/vision/picture.ts';
import type { Truth } from '../demo-video/truth.ts';
import { buildDemoPack } from './build.ts';
import { DemoModels } from './demo-models.ts';
import { type DetectionCount, evaluateFrames } from './evaluation.ts';

// Prints how well the demo pack reads the rendered demo video: npm run demo:video && npm run demo:evaluate.
const { values } = parseArgs({
  options: {
    video: { type: 'string', default: '.local/demo.mp4' },
    truth: { type: 'string', default: '.local/demo.truth.json' },
    'per-second': { type: 'string', default: '1.5' },
  },
});
const truth = JSON.parse(await readFile(values.truth, 'utf8')) as Truth;
const { fps, seconds } = truth.video;
const perSecond = Number(values['per-second']);
const indices = Array.from({ length: Math.floor(seconds * perSecond) }, (_, k) =>
  Math.ceil((k / perSecond) * fps - 1e-6),
);
const pictures = decode(values.video, indices);
const models = await DemoModels.open(buildDemoPack(), 2);
const result = await evaluateFrames(
  models,
  truth,
  pictures.map((picture, order) => ({ index: indices[order] ?? 0, picture })),
);
for (const note of result.notes) console.log(note);
const { readings } = result;
console.log(`frames       ${result.frames} (${perSecond} a second)`);
console.log(`persons      ${detections(result.persons)}`);
console.log(`faces        ${detections(result.faces)}`);
console.log(`age          mean error ${mean(result.ageError)} years, worst ${result.worstAgeError.toFixed(2)}`);
console.log(`gender       ${mean(result.gendersRight)} right of ${readings}`);
console.log(`orientation  mean error ${mean(result.degreesOff)} degrees, worst ${result.worstDegreesOff.toFixed(1)}`);
console.log(`action       ${mean(result.actionsRight)} right of ${readings}`);
for (let order = 0; order < pictures.length; order += 5) {
  const picture = pictures[order];
  if (picture === undefined) continue;
  console.log(`${((indices[order] ?? 0) / fps).toFixed(2)} s: ${await models.describe(picture)}`);
}
await models.close();

function detections({ found, missed, extra, iou }: DetectionCount): string {
  const [recall, precision] = [found / (found + missed), found / (found + extra)];
  return `recall ${recall.toFixed(4)}, precision ${precision.toFixed(4)}, mean IoU ${(iou / found).toFixed(3)}`;
}

function mean(sum: number): string {
  return (sum / readings).toFixed(4);
}

function decode(video: string, frames: readonly number[]): readonly Picture[] {
  const { width, height } = truth.video;
  const select = frames.map((index) => `eq(n,${index})`).join('+');
  const output = ['-vsync', '0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', video, '-vf', `select='${select}'`, ...output], {
    maxBuffer: 2 ** 31 - 1,
  });
  const bytes = width * height * 3;
  return frames.map((_, order) => ({
    width,
    height,
    pixels: new Uint8Array(raw.subarray(order * bytes, (order + 1) * bytes)),
  }));
}
