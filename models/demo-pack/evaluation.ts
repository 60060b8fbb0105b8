import type { BoxTuple } from '../../src/analysis/video-analysis.ts';
import { angleBetween } from '../../src/analysis/zones.ts';
import { detectionScore, type DetectionScore } from '../../src/evaluation/detection-score.ts';
import { type FoundBox, type FrameMatch, matchFrame } from '../../src/evaluation/match-frame.ts';
import { actionScore, ageScore, genderScore, orientationScore } from '../../src/evaluation/reading-score.ts';
import type { Truth, TruthFrame, TruthPerson } from '../../src/evaluation/truth.ts';
import type { Box } from '../../src/vision/box.ts';
import type { Picture } from '../../src/vision/picture.ts';
import type { DemoModels, Found } from './demo-models.ts';

/** What the pack's own models got right, without the worker's chain and tracking: each reading of a person is compared. */
export interface PackEvaluation {
  readonly frames: number;
  readonly persons: PlacedScore;
  readonly faces: PlacedScore;
  readonly age: ReturnType<typeof ageScore>;
  readonly gender: ReturnType<typeof genderScore>;
  readonly orientation: ReturnType<typeof orientationScore>;
  readonly action: ReturnType<typeof actionScore>;
  /** One line per mistake. */
  readonly notes: readonly string[];
}

export interface PlacedScore extends DetectionScore {
  /** Over all that were found, hidden or not; NaN where nothing was. */
  readonly meanIou: number;
}

export interface SceneFrame {
  /** Frame number in the video. */
  readonly index: number;
  readonly picture: Picture;
}

interface Claim extends FoundBox {
  readonly place: Box;
}

/** What was read of somebody who is not hidden. */
interface PersonReading {
  readonly frame: number;
  readonly person: TruthPerson;
  readonly who: Truth['persons'][number];
  readonly read: Awaited<ReturnType<DemoModels['readPerson']>>;
}

interface FrameEvaluation {
  readonly bodies: FrameMatch<Claim>;
  readonly heads: FrameMatch<Claim>;
  readonly readings: readonly PersonReading[];
  readonly notes: readonly string[];
}

/** Runs the pack on pictures of the demo scene and compares with its truth. */
export async function evaluateFrames(
  models: DemoModels,
  truth: Truth,
  frames: Iterable<SceneFrame> | AsyncIterable<SceneFrame>,
): Promise<PackEvaluation> {
  const parts: FrameEvaluation[] = [];
  for await (const { index, picture } of frames) {
    const frame = truth.frames.find((item) => item.index === index);
    if (frame === undefined) throw new Error(`the truth has no frame ${index}`);
    parts.push(await evaluateFrame(models, truth, frame, picture));
  }
  const readings = parts.flatMap((part) => part.readings);
  return {
    frames: parts.length,
    persons: placedScore(parts.map(({ bodies }) => bodies)),
    faces: placedScore(parts.map(({ heads }) => heads)),
    age: ageScore(readings.map(({ who, read }) => ({ known: who.age, read: read.age }))),
    gender: genderScore(readings.map(({ who, read }) => ({ known: who.gender, read: read.gender }))),
    orientation: orientationScore(
      readings.map(({ person, read }) => ({ known: person.orientation, read: read.degrees })),
    ),
    action: actionScore(readings.map(({ person, read }) => ({ known: person.action, read: read.action }))),
    notes: parts.flatMap((part) => part.notes),
  };
}

async function evaluateFrame(
  models: DemoModels,
  truth: Truth,
  frame: TruthFrame,
  picture: Picture,
): Promise<FrameEvaluation> {
  const { persons, faces } = await models.detect(picture);
  const claims = [...persons.map((found) => claimOf(found, 'person')), ...faces.map((found) => claimOf(found, 'face'))];
  const bodies = matchFrame(frame, claims, picture);
  const heads = matchFrame(frame, claims, picture, 'face');
  const readings: PersonReading[] = [];
  for (const { known, detection } of bodies.found) {
    const { person } = known;
    const who = truth.persons.find(({ id }) => id === person.id);
    if (!known.isVisible || who === undefined) continue;
    const face = heads.found.find((pair) => pair.known.person === person)?.detection.place ?? null;
    const others = claims.filter((other) => other !== detection).map(({ place }) => place);
    const read = await models.readPerson(picture, detection.place, face, others);
    readings.push({ frame: frame.index, person, who, read });
  }
  return { bodies, heads, readings, notes: [...placeNotes(frame, bodies, heads), ...readings.flatMap(readingNotes)] };
}

/** Every box claims that somebody is there: the pack alone has no tracks. */
function claimOf({ box, score }: Found, what: FoundBox['class']): Claim {
  const { x1, y1, x2, y2 } = box;
  return { track: 0, class: what, box: [x1, y1, x2, y2] satisfies BoxTuple, score, place: box };
}

function placedScore(matches: readonly FrameMatch<Claim>[]): PlacedScore {
  const ious = matches.flatMap(({ found }) => found.map(({ iou }) => iou));
  return { ...detectionScore(matches), meanIou: ious.reduce((sum, iou) => sum + iou, 0) / ious.length };
}

function placeNotes(frame: TruthFrame, bodies: FrameMatch<Claim>, heads: FrameMatch<Claim>): readonly string[] {
  return [
    ...bodies.missed.map(({ person, visible }) => `missed ${person.id} (${visible} visible)`),
    ...heads.missed.map(({ person, visible }) => `missed the face of ${person.id} (${visible} visible)`),
    ...bodies.spurious.map(({ score, place }) => `extra person ${JSON.stringify({ score, box: place })}`),
    ...heads.spurious.map(({ score, place }) => `extra face ${JSON.stringify({ score, box: place })}`),
  ].map((text) => `frame ${frame.index}: ${text}`);
}

function readingNotes({ frame, person, who, read }: PersonReading): readonly string[] {
  const notes: string[] = [];
  if (Math.abs(read.age - who.age) > 2) notes.push(`age ${read.age.toFixed(1)} instead of ${who.age}`);
  if (read.gender !== who.gender) notes.push(`${read.gender} instead of ${who.gender}`);
  if (angleBetween(read.degrees, person.orientation) > 10) {
    notes.push(`${read.degrees} instead of ${person.orientation} degrees`);
  }
  if (read.action !== person.action) notes.push(`${read.action} instead of ${person.action}`);
  return notes.map((text) => `frame ${frame}: ${person.id}: ${text}`);
}
