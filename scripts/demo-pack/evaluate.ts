import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Box } from '../../src/vision/box.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { type Truth, type TruthBox, VISIBLE_SHARE } from '../demo-video/truth.ts';
import { buildDemoPack } from './build.ts';
import { clip, DemoModels, type Found, iou } from './demo-models.ts';

/** A face counts as visible above this share; less of it shows too little of the visor. */
const FACE_SHARE = 0.6;

const { values } = parseArgs({
  options: {
    video: { type: 'string', default: '.local/demo.mp4' },
    truth: { type: 'string', default: '.local/demo.truth.json' },
    'per-second': { type: 'string', default: '1.5' },
    verbose: { type: 'boolean', default: false },
  },
});
const truth = JSON.parse(await readFile(values.truth, 'utf8')) as Truth;
const { width, height, fps, seconds } = truth.video;
const perSecond = Number(values['per-second']);
const indices = Array.from({ length: Math.floor(seconds * perSecond) }, (_, k) =>
  Math.ceil((k / perSecond) * fps - 1e-6),
);
const models = await DemoModels.open(buildDemoPack(), 2);
const count = { found: 0, missed: 0, extra: 0, iou: 0, faces: 0, facesMissed: 0, facesExtra: 0, faceIou: 0 };
const read = { people: 0, age: 0, worstAge: 0, gender: 0, degrees: 0, worstDegrees: 0, action: 0 };
const spent = { detection: 0, people: 0, scene: 0 };
const sentences: string[] = [];

for (const [order, picture] of decode(values.video, indices).entries()) {
  const index = indices[order] ?? 0;
  let started = performance.now();
  const { persons, faces } = await models.detect(picture);
  spent.detection += performance.now() - started;
  const known = truth.frames[index]?.persons ?? [];
  const bodies = match(
    persons,
    known.map((item) => ({ ...item, box: toBox(item.box), share: item.visible })),
    VISIBLE_SHARE,
  );
  const withFace = known.flatMap((item) =>
    item.face === null ? [] : [{ ...item, box: toBox(item.face), share: item.faceVisible }],
  );
  const heads = match(faces, withFace, FACE_SHARE);
  count.found += bodies.pairs.length;
  count.missed += bodies.missed.length;
  count.extra += bodies.extra.length;
  count.iou += bodies.pairs.reduce((sum, pair) => sum + pair.iou, 0);
  count.faces += heads.pairs.length;
  count.facesMissed += heads.missed.length;
  count.facesExtra += heads.extra.length;
  count.faceIou += heads.pairs.reduce((sum, pair) => sum + pair.iou, 0);
  for (const item of bodies.missed) note(index, `missed ${item.id} (${item.share} visible)`);
  for (const item of bodies.extra) note(index, `extra person ${JSON.stringify(item)}`);
  for (const item of heads.missed) note(index, `missed the face of ${item.id} (${item.share} visible)`);
  for (const item of heads.extra) note(index, `extra face ${JSON.stringify(item)}`);
  started = performance.now();
  for (const { found, known: person } of bodies.pairs) {
    if (person.share < VISIBLE_SHARE) continue;
    const face = heads.pairs.find((pair) => pair.known.id === person.id)?.found.box ?? null;
    const others = [...persons, ...faces].filter((other) => other !== found).map((other) => other.box);
    const result = await models.readPerson(picture, found.box, face, others);
    const who = truth.persons.find((item) => item.id === person.id);
    const ageError = Math.abs(result.age - (who?.age ?? 0));
    const turn = Math.abs(((result.degrees - person.orientation + 540) % 360) - 180);
    read.people++;
    read.age += ageError;
    read.worstAge = Math.max(read.worstAge, ageError);
    read.gender += Number(result.gender === who?.gender);
    read.degrees += turn;
    read.worstDegrees = Math.max(read.worstDegrees, turn);
    read.action += Number(result.action === person.action);
    if (ageError > 2)
      note(index, `${person.id}: age ${result.age.toFixed(1)} instead of ${who?.age} (${person.share} visible)`);
    if (result.gender !== who?.gender) note(index, `${person.id}: ${result.gender}`);
    if (turn > 10) note(index, `${person.id}: ${result.degrees} instead of ${person.orientation} degrees`);
    if (result.action !== person.action) note(index, `${person.id}: ${result.action} instead of ${person.action}`);
  }
  spent.people += performance.now() - started;
  if (order % 5 === 0) {
    started = performance.now();
    const sentence = await models.describe(picture);
    spent.scene += performance.now() - started;
    sentences.push(
      `${(index / fps).toFixed(2)} s: ${sentence} [${known.filter((item) => item.visible >= VISIBLE_SHARE).length} people]`,
    );
  }
}
await models.close();

const share = (part: number, rest: number): string => (part / (part + rest)).toFixed(4);
console.log(`frames            ${indices.length} (${perSecond} per second)`);
console.log(
  `persons           recall ${share(count.found, count.missed)}, precision ${share(count.found, count.extra)}, mean IoU ${(count.iou / count.found).toFixed(3)}`,
);
console.log(
  `faces             recall ${share(count.faces, count.facesMissed)}, precision ${share(count.faces, count.facesExtra)}, mean IoU ${(count.faceIou / count.faces).toFixed(3)}`,
);
console.log(
  `age               mean error ${(read.age / read.people).toFixed(2)} years, worst ${read.worstAge.toFixed(2)}`,
);
console.log(`gender            ${share(read.gender, read.people - read.gender)} right`);
console.log(
  `orientation       mean error ${(read.degrees / read.people).toFixed(2)} degrees, worst ${read.worstDegrees.toFixed(1)}`,
);
console.log(`action            ${share(read.action, read.people - read.action)} right`);
console.log(
  `milliseconds      ${(spent.detection / indices.length).toFixed(1)} a frame in detection, ${(spent.people / read.people).toFixed(1)} a person, ${(spent.scene / sentences.length).toFixed(1)} a sentence`,
);
for (const sentence of sentences) console.log(sentence);

function note(index: number, text: string): void {
  if (values.verbose) console.log(`frame ${index}: ${text}`);
}

interface Known {
  readonly id: string;
  readonly box: Box;
  readonly share: number;
  readonly orientation: number;
  readonly action: string;
}

/** Pairs what was found with what is there at IoU 0.5; who shows less than `least` may be found but need not be. */
function match(
  found: readonly Found[],
  there: readonly Known[],
  least: number,
): {
  readonly pairs: readonly { found: Found; known: Known; iou: number }[];
  readonly missed: readonly Known[];
  readonly extra: readonly Found[];
} {
  const pairs: { found: Found; known: Known; iou: number }[] = [];
  const extra: Found[] = [];
  for (const item of found) {
    const best = there
      .filter((known) => pairs.every((pair) => pair.known !== known))
      .map((known) => ({ found: item, known, iou: iou(item.box, clip(known.box, width, height)) }))
      .toSorted((a, b) => b.iou - a.iou)[0];
    if (best !== undefined && best.iou >= 0.5) pairs.push(best);
    else extra.push(item);
  }
  const missed = there.filter((known) => known.share >= least && pairs.every((pair) => pair.known !== known));
  return { pairs, missed, extra };
}

function toBox(box: TruthBox): Box {
  return { x1: box[0], y1: box[1], x2: box[2], y2: box[3] };
}

function decode(video: string, frames: readonly number[]): readonly Picture[] {
  const select = frames.map((index) => `eq(n,${index})`).join('+');
  const args = [
    '-v',
    'error',
    '-i',
    video,
    '-vf',
    `select='${select}'`,
    '-vsync',
    '0',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-',
  ];
  const raw = execFileSync('ffmpeg', args, { maxBuffer: 2 ** 31 - 1 });
  const bytes = width * height * 3;
  return frames.map((_, order) => ({
    width,
    height,
    pixels: new Uint8Array(raw.subarray(order * bytes, (order + 1) * bytes)),
  }));
}
