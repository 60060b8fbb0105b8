import type {
  ActionEvent,
  AnalysedFrame,
  BoxTuple,
  ObservedDetection,
  SceneText,
  TrackSummary,
  VideoAnalysis,
} from '../analysis/video-analysis.ts';
import { observedReadingsIn } from '../analysis/person-readings.ts';
import type { Prisma } from '../generated/prisma/client.ts';

/** A row as it is built here: which run it belongs to is said by the statement that stores it. */
type OfRun<Row> = Omit<Row, 'runId'>;

/**
 * Everything that a finished analysis leaves in the tables of its run, parents before children. Made as it is read, since
 * a second copy of a long video's analysis would not fit, and readable more than once, always in the same order.
 */
export interface AnalysisRows {
  readonly tracks: Iterable<OfRun<Prisma.PersonTrackCreateManyInput>>;
  readonly observations: Iterable<OfRun<Prisma.ObservationCreateManyInput>>;
  readonly overlaps: Iterable<OfRun<Prisma.PersonOverlapCreateManyInput>>;
  readonly events: Iterable<OfRun<Prisma.ActionEventCreateManyInput>>;
  readonly scenes: Iterable<OfRun<Prisma.SceneCreateManyInput>>;
}

/**
 * Turns an analysis into rows. Observations keep the order of frames and of the detections within a frame. A box of a
 * person without a summary keeps its row and loses the reference. Throws where an event is about nobody.
 */
export function analysisRows(analysis: VideoAnalysis, highlightsBucket: string | null): AnalysisRows {
  const { tracks, frames, events, scenes } = analysis;
  const known = new Set(tracks.map((track) => track.id));
  const stranger = events.find((event) => !known.has(event.track));
  if (stranger !== undefined) {
    throw new Error(`event ${stranger.type} is about track ${stranger.track}, which has no summary`);
  }
  return {
    tracks: each(tracks, (track) => [trackRow(track)]),
    observations: each(frames, (frame) => frame.detections.map((detection) => observationRow(frame, detection, known))),
    overlaps: each(frames, overlapRows),
    events: each(events, (event) => [eventRow(event, highlightsBucket)]),
    scenes: each(scenes, (scene) => [sceneRow(scene)]),
  };
}

/** How many rows an analysis has, without making them. */
export function countRows({ tracks, frames, events, scenes }: VideoAnalysis): number {
  let rows = tracks.length + events.length + scenes.length;
  for (const { detections, overlaps } of frames) rows += detections.length + overlaps.length;
  return rows;
}

function each<Item, Row>(items: readonly Item[], rowsOf: (item: Item) => readonly Row[]): Iterable<Row> {
  return {
    *[Symbol.iterator]() {
      for (const item of items) yield* rowsOf(item);
    },
  };
}

function trackRow(track: TrackSummary): OfRun<Prisma.PersonTrackCreateManyInput> {
  return {
    track: track.id,
    startSeconds: track.startSeconds,
    endSeconds: track.endSeconds,
    observations: track.observations,
    age: track.age,
    ageGroup: track.ageGroup,
    gender: track.gender,
    genderScore: track.genderScore,
    mainAction: track.mainAction,
  };
}

function overlapRows(frame: AnalysedFrame): OfRun<Prisma.PersonOverlapCreateManyInput>[] {
  return frame.overlaps.map(({ a, b, iou }) => ({
    frameIndex: frame.index,
    seconds: frame.t,
    trackA: a,
    trackB: b,
    iou,
  }));
}

function sceneRow(scene: SceneText): OfRun<Prisma.SceneCreateManyInput> {
  return { seconds: scene.t, frameIndex: scene.frameIndex, text: storableText(scene.text), source: scene.source };
}

function observationRow(
  frame: AnalysedFrame,
  detection: ObservedDetection,
  known: ReadonlySet<number>,
): OfRun<Prisma.ObservationCreateManyInput> {
  const { face } = detection;
  return {
    frameIndex: frame.index,
    seconds: frame.t,
    track: detection.track !== null && known.has(detection.track) ? detection.track : null,
    class: detection.class,
    ...boxColumns(detection.box),
    score: detection.score,
    faceX1: face?.[0] ?? null,
    faceY1: face?.[1] ?? null,
    faceX2: face?.[2] ?? null,
    faceY2: face?.[3] ?? null,
    age: detection.age,
    ageGroup: detection.ageGroup,
    gender: detection.gender,
    genderScore: detection.genderScore,
    ...observedReadingsIn(detection),
    zone: detection.zone,
  };
}

function eventRow(event: ActionEvent, highlightsBucket: string | null): OfRun<Prisma.ActionEventCreateManyInput> {
  // Without a bucket the image was never uploaded: a key alone would point nowhere.
  const highlightKey = highlightsBucket === null ? null : (event.highlight?.key ?? null);
  return {
    track: event.track,
    type: event.type,
    startSeconds: event.startSeconds,
    durationSeconds: event.durationSeconds,
    frameIndex: event.frameIndex,
    ...boxColumns(event.box),
    confidence: event.confidence,
    age: event.age,
    ageGroup: event.ageGroup,
    gender: event.gender,
    orientation: event.orientation,
    zone: event.zone,
    text: storableText(event.text),
    keywords: event.keywords.map(storableText),
    highlightBucket: highlightKey === null ? null : highlightsBucket,
    highlightKey,
  };
}

function boxColumns([x1, y1, x2, y2]: BoxTuple): { x1: number; y1: number; x2: number; y2: number } {
  return { x1, y1, x2, y2 };
}

/** PostgreSQL has no NUL in text, and UTF-8 no half of a surrogate pair; a language model may produce either. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
