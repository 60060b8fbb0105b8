import type {
  ActionEvent,
  AnalysedFrame,
  BoxTuple,
  ObservedDetection,
  VideoAnalysis,
} from '../analysis/video-analysis.ts';
import { observedReadingsIn } from '../analysis/person-readings.ts';
import type { Prisma } from '../generated/prisma/client.ts';

/** Everything that a finished analysis leaves in the tables below its video, parents before children. */
export interface AnalysisRows {
  readonly tracks: readonly Prisma.PersonTrackCreateManyInput[];
  readonly observations: readonly Prisma.ObservationCreateManyInput[];
  readonly overlaps: readonly Prisma.PersonOverlapCreateManyInput[];
  readonly events: readonly Prisma.ActionEventCreateManyInput[];
  readonly scenes: readonly Prisma.SceneCreateManyInput[];
}

/**
 * Turns an analysis into rows. Observations keep the order of frames and of the detections within a frame. A box of a
 * person without a summary keeps its row and loses the reference. Throws where an event is about nobody.
 */
export function analysisRows(videoId: string, analysis: VideoAnalysis, highlightsBucket: string | null): AnalysisRows {
  const known = new Set(analysis.tracks.map((track) => track.id));
  return {
    tracks: analysis.tracks.map((track) => ({
      videoId,
      track: track.id,
      startSeconds: track.startSeconds,
      endSeconds: track.endSeconds,
      observations: track.observations,
      age: track.age,
      ageGroup: track.ageGroup,
      gender: track.gender,
      genderScore: track.genderScore,
      mainAction: track.mainAction,
    })),
    observations: analysis.frames.flatMap((frame) =>
      frame.detections.map((detection) => observationRow(videoId, frame, detection, known)),
    ),
    overlaps: analysis.frames.flatMap((frame) =>
      frame.overlaps.map(({ a, b, iou }) => ({
        videoId,
        frameIndex: frame.index,
        seconds: frame.t,
        trackA: a,
        trackB: b,
        iou,
      })),
    ),
    events: analysis.events.map((event) => {
      if (!known.has(event.track)) {
        throw new Error(`event ${event.type} is about track ${event.track}, which has no summary`);
      }
      return eventRow(videoId, event, highlightsBucket);
    }),
    scenes: analysis.scenes.map((scene) => ({
      videoId,
      seconds: scene.t,
      frameIndex: scene.frameIndex,
      text: storableText(scene.text),
      source: scene.source,
    })),
  };
}

function observationRow(
  videoId: string,
  frame: AnalysedFrame,
  detection: ObservedDetection,
  known: ReadonlySet<number>,
): Prisma.ObservationCreateManyInput {
  const { face } = detection;
  return {
    videoId,
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

function eventRow(
  videoId: string,
  event: ActionEvent,
  highlightsBucket: string | null,
): Prisma.ActionEventCreateManyInput {
  // Without a bucket the image was never uploaded: a key alone would point nowhere.
  const highlightKey = highlightsBucket === null ? null : (event.highlight?.key ?? null);
  return {
    videoId,
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
