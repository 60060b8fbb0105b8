import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Picture } from '../../src/vision/picture.ts';
import type { SceneTruth } from './scene/truth.ts';
import { buildDemoPack } from './build.ts';
import { DemoModels } from './demo-models.ts';
import { evaluateFrames, type PlacedScore } from './evaluation.ts';

// Prints how well the demo pack reads the rendered demo video: npm run demo:video && npm run demo:evaluate.
const { values } = parseArgs({
  options: {
    video: { type: 'string', default: '.local/demo.mp4' },
    truth: { type: 'string', default: '.local/demo.truth.json' },
    'per-second': { type: 'string', default: '1.5' },
  },
});
const truth = JSON.parse(await readFile(values.truth, 'utf8')) as SceneTruth;
const { fps, seconds } = truth.video;
const perSecond = Number(values['per-second']);
const indices = Array.from({ length: Math.floor(seconds * perSecond) }, (_, k) =>
  Math.ceil((k / perSecond) * fps - 1e-6),
);
const models = await DemoModels.open(buildDemoPack(), 2);
const sentences: string[] = [];
const result = await evaluateFrames(models, truth, pictures());
await models.close();
for (const note of result.notes) console.log(note);
const { age, gender, orientation, action } = result;
console.log(`frames       ${result.frames} (${perSecond} a second)`);
console.log(`persons      ${detections(result.persons)}`);
console.log(`faces        ${detections(result.faces)}`);
console.log(`age          mean error ${fixed(age.meanError, 4)} years, worst ${fixed(age.maxError, 2)}`);
console.log(`gender       ${fixed(gender.accuracy, 4)} right of ${gender.persons}`);
console.log(
  `orientation  mean error ${fixed(orientation.meanError, 4)} degrees, worst ${fixed(orientation.maxError, 1)}`,
);
console.log(`action       ${fixed(action.accuracy, 4)} right of ${action.observations}`);
for (const sentence of sentences) console.log(sentence);

function detections({ recall, precision, meanIou }: PlacedScore): string {
  return `recall ${fixed(recall, 4)}, precision ${fixed(precision, 4)}, mean IoU ${fixed(meanIou, 3)}`;
}

function fixed(value: number | null, digits: number): string {
  return value === null ? '-' : value.toFixed(digits);
}

/** The sampled frames of the video; on every fifth the scene question is asked as well. */
async function* pictures(): AsyncGenerator<{ index: number; picture: Picture }> {
  let order = 0;
  for await (const { index, picture } of decode(values.video)) {
    if (index !== indices[order]) continue;
    yield { index, picture };
    if (order % 5 === 0) sentences.push(`${(index / fps).toFixed(2)} s: ${await models.describe(picture)}`);
    order++;
  }
}

async function* decode(video: string): AsyncGenerator<{ index: number; picture: Picture }> {
  const { width, height } = truth.video;
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-i', video, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: AbortSignal.timeout(600_000),
  });
  const ended = once(ffmpeg, 'close');
  let pixels = new Uint8Array(width * height * 3);
  let [filled, index] = [0, 0];
  for await (const chunk of ffmpeg.stdout as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length;) {
      const part = chunk.subarray(from, from + pixels.length - filled);
      pixels.set(part, filled);
      filled += part.length;
      from += part.length;
      if (filled < pixels.length) continue;
      yield { index: index++, picture: { width, height, pixels } };
      pixels = new Uint8Array(width * height * 3);
      filled = 0;
    }
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`ffmpeg could not read ${video} (exit status ${code})`);
}
