import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Picture } from '../../src/vision/picture.ts';
import type { Truth } from './scene/truth.ts';
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
const models = await DemoModels.open(buildDemoPack(), 2);
const sentences: string[] = [];
const result = await evaluateFrames(models, truth, pictures());
await models.close();
for (const note of result.notes) console.log(note);
const { readings } = result;
console.log(`frames       ${result.frames} (${perSecond} a second)`);
console.log(`persons      ${detections(result.persons)}`);
console.log(`faces        ${detections(result.faces)}`);
console.log(`age          mean error ${mean(result.ageError)} years, worst ${result.worstAgeError.toFixed(2)}`);
console.log(`gender       ${mean(result.gendersRight)} right of ${readings}`);
console.log(`orientation  mean error ${mean(result.degreesOff)} degrees, worst ${result.worstDegreesOff.toFixed(1)}`);
console.log(`action       ${mean(result.actionsRight)} right of ${readings}`);
for (const sentence of sentences) console.log(sentence);

function detections({ found, missed, extra, iou }: DetectionCount): string {
  const [recall, precision] = [found / (found + missed), found / (found + extra)];
  return `recall ${recall.toFixed(4)}, precision ${precision.toFixed(4)}, mean IoU ${(iou / found).toFixed(3)}`;
}

function mean(sum: number): string {
  return (sum / readings).toFixed(4);
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
