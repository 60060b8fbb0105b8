import type { Box } from '../../src/vision/box.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { type Truth, type TruthBox, type TruthFrame, type TruthPerson, VISIBLE_SHARE } from './scene/truth.ts';
import { clip, type DemoModels, type Found, iou } from './demo-models.ts';

/** A face counts as visible above this share; less of it shows too little of the visor. */
const FACE_SHARE = 0.6;

/** What the pack got right, counted over all frames. Persons and faces match at IoU 0.5. */
export interface Evaluation {
  frames: number;
  readonly persons: DetectionCount;
  readonly faces: DetectionCount;
  /** Readings of persons of whom at least 40 % can be seen. */
  readings: number;
  ageError: number;
  worstAgeError: number;
  gendersRight: number;
  degreesOff: number;
  worstDegreesOff: number;
  actionsRight: number;
  /** One line per mistake. */
  readonly notes: string[];
}

export interface DetectionCount {
  found: number;
  missed: number;
  extra: number;
  /** Sum over those found. */
  iou: number;
}

export interface SceneFrame {
  /** Frame number in the video. */
  readonly index: number;
  readonly picture: Picture;
}

/** Runs the pack on pictures of the demo scene and compares with its truth. */
export async function evaluateFrames(
  models: DemoModels,
  truth: Truth,
  frames: Iterable<SceneFrame> | AsyncIterable<SceneFrame>,
): Promise<Evaluation> {
  const result = emptyEvaluation();
  for await (const { index, picture } of frames) {
    const frame = truth.frames.find((item) => item.index === index);
    if (frame === undefined) throw new Error(`the truth has no frame ${index}`);
    result.frames++;
    await evaluateFrame(models, truth, frame, picture, result);
  }
  return result;
}

async function evaluateFrame(
  models: DemoModels,
  truth: Truth,
  frame: TruthFrame,
  picture: Picture,
  result: Evaluation,
): Promise<void> {
  const { persons, faces } = await models.detect(picture);
  const inside = (box: TruthBox): Box => clip(toBox(box), picture.width, picture.height);
  const bodies = frame.persons.map((person) => ({ person, box: inside(person.box), share: person.visible }));
  const heads = frame.persons.flatMap((person) =>
    person.face === null ? [] : [{ person, box: inside(person.face), share: person.faceVisible }],
  );
  const body = match(persons, bodies, VISIBLE_SHARE);
  const head = match(faces, heads, FACE_SHARE);
  countDetections(result.persons, body);
  countDetections(result.faces, head);
  const note = (text: string): number => result.notes.push(`frame ${frame.index}: ${text}`);
  for (const { person, share } of body.missed) note(`missed ${person.id} (${share} visible)`);
  for (const { person, share } of head.missed) note(`missed the face of ${person.id} (${share} visible)`);
  for (const item of body.extra) note(`extra person ${JSON.stringify(item)}`);
  for (const item of head.extra) note(`extra face ${JSON.stringify(item)}`);
  for (const { found, known } of body.pairs) {
    if (known.share < VISIBLE_SHARE) continue;
    const face = head.pairs.find((pair) => pair.known.person.id === known.person.id)?.found.box ?? null;
    const others = [...persons, ...faces].filter((other) => other !== found).map((other) => other.box);
    const reading = await models.readPerson(picture, found.box, face, others);
    countReading(result, truth, known.person, reading).forEach((text) => note(`${known.person.id}: ${text}`));
  }
}

type Reading = Awaited<ReturnType<DemoModels['readPerson']>>;

function countReading(result: Evaluation, truth: Truth, person: TruthPerson, reading: Reading): readonly string[] {
  const who = truth.persons.find((item) => item.id === person.id);
  const ageError = Math.abs(reading.age - (who?.age ?? 0));
  const off = Math.abs(((reading.degrees - person.orientation + 540) % 360) - 180);
  result.readings++;
  result.ageError += ageError;
  result.worstAgeError = Math.max(result.worstAgeError, ageError);
  result.gendersRight += Number(reading.gender === who?.gender);
  result.degreesOff += off;
  result.worstDegreesOff = Math.max(result.worstDegreesOff, off);
  result.actionsRight += Number(reading.action === person.action);
  const notes: string[] = [];
  if (ageError > 2) notes.push(`age ${reading.age.toFixed(1)} instead of ${who?.age}`);
  if (reading.gender !== who?.gender) notes.push(`${reading.gender} instead of ${who?.gender}`);
  if (off > 10) notes.push(`${reading.degrees} instead of ${person.orientation} degrees`);
  if (reading.action !== person.action) notes.push(`${reading.action} instead of ${person.action}`);
  return notes;
}

interface Known {
  readonly person: TruthPerson;
  readonly box: Box;
  readonly share: number;
}

interface Match {
  readonly pairs: readonly { readonly found: Found; readonly known: Known; readonly iou: number }[];
  readonly missed: readonly Known[];
  readonly extra: readonly Found[];
}

/** Pairs what was found with what is there at IoU 0.5; who shows less than `least` may be found but need not be. */
function match(found: readonly Found[], there: readonly Known[], least: number): Match {
  const pairs: { found: Found; known: Known; iou: number }[] = [];
  const extra: Found[] = [];
  for (const item of found) {
    const best = there
      .filter((known) => pairs.every((pair) => pair.known !== known))
      .map((known) => ({ found: item, known, iou: iou(item.box, known.box) }))
      .toSorted((a, b) => b.iou - a.iou)[0];
    if (best !== undefined && best.iou >= 0.5) pairs.push(best);
    else extra.push(item);
  }
  const missed = there.filter((known) => known.share >= least && pairs.every((pair) => pair.known !== known));
  return { pairs, missed, extra };
}

function countDetections(count: DetectionCount, { pairs, missed, extra }: Match): void {
  count.found += pairs.length;
  count.missed += missed.length;
  count.extra += extra.length;
  count.iou += pairs.reduce((sum, pair) => sum + pair.iou, 0);
}

function emptyEvaluation(): Evaluation {
  const nothing = (): DetectionCount => ({ found: 0, missed: 0, extra: 0, iou: 0 });
  return {
    frames: 0,
    persons: nothing(),
    faces: nothing(),
    readings: 0,
    ageError: 0,
    worstAgeError: 0,
    gendersRight: 0,
    degreesOff: 0,
    worstDegreesOff: 0,
    actionsRight: 0,
    notes: [],
  };
}

function toBox(box: TruthBox): Box {
  return { x1: box[0], y1: box[1], x2: box[2], y2: box[3] };
}
