import { CHAIN_STAGES } from '../../failure/stage.ts';
import type {
  AgeGroup,
  AnalysedFrame,
  BoxTuple,
  ObservedDetection,
  SceneCost,
  TrackSummary,
  VideoAnalysis,
} from '../../analysis/video-analysis.ts';
import { observedReadingsIn } from '../../analysis/person-readings.ts';
import { ANALYSIS_FORMAT_VERSION } from '../../analysis/video-analysis.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import type { Database } from '../client.ts';
import { databaseCall } from '../database-call.ts';
import { storedDegraded } from './stored-degraded.ts';

type Gender = TrackSummary['gender'];

const EVERYTHING = {
  result: {
    include: {
      tracks: { orderBy: { track: 'asc' } },
      observations: { orderBy: { id: 'asc' } },
      overlaps: { orderBy: { id: 'asc' } },
      events: { orderBy: { id: 'asc' } },
      scenes: { orderBy: { id: 'asc' } },
    },
  },
} as const satisfies Prisma.VideoInclude;

type StoredRun = NonNullable<Prisma.VideoGetPayload<{ include: typeof EVERYTHING }>['result']>;

export interface StoredAnalysis {
  /**
   * As it was stored, with two differences: sampled frames in which nothing was seen are not listed
   * (`sampling.frames` still counts them), and `highlight.file` is empty, since the image is in the bucket.
   */
  readonly analysis: VideoAnalysis;
  readonly highlightsBucket: string | null;
}

/** Reads the analysis of a completed video (by primary key) back from its rows; null where there is none. */
export async function loadAnalysis(db: Database, videoId: string, signal: AbortSignal): Promise<StoredAnalysis | null> {
  const video = await databaseCall(db, 'load the analysis', signal, () =>
    db.prisma.video.findUnique({ where: { id: videoId }, include: EVERYTHING }),
  );
  const run = video?.result ?? null;
  if (video === null || run === null || video.status !== 'completed') return null;
  const beside = storedTimings(run.timings);
  return {
    analysis: {
      version: ANALYSIS_FORMAT_VERSION,
      video: {
        width: video.width ?? 0,
        height: video.height ?? 0,
        frameRate: video.frameRate ?? 0,
        durationSeconds: video.durationSeconds ?? 0,
        codec: video.codec ?? '',
        container: video.container ?? '',
        sizeBytes: Number(video.sizeBytes ?? 0),
      },
      pack: {
        name: run.packName,
        fingerprint: run.packFingerprint,
        device: run.device === 'cuda' ? 'cuda' : 'cpu',
      },
      sampling: {
        framesPerSecond: run.framesPerSecond,
        frames: run.frames ?? 0,
        attributes: run.attributes === 'per-frame' ? 'per-frame' : 'per-track',
        decode: run.decode === 'fast' ? 'fast' : 'exact',
        ...beside.sampling,
      },
      frames: storedFrames(run),
      tracks: run.tracks.map((row) => ({
        id: row.track,
        startSeconds: row.startSeconds,
        endSeconds: row.endSeconds,
        observations: row.observations,
        age: row.age,
        ageGroup: row.ageGroup as AgeGroup | null,
        gender: row.gender as Gender,
        genderScore: row.genderScore,
        mainAction: row.mainAction,
      })),
      events: run.events.map(storedEvent),
      scenes: run.scenes.map((scene) => ({
        t: scene.seconds,
        frameIndex: scene.frameIndex,
        text: scene.text,
        source: scene.source === 'bedrock' ? 'bedrock' : 'local',
      })),
      degraded: storedDegraded(run.degraded),
      ...(run.sceneCost === null ? {} : { sceneCost: run.sceneCost as unknown as SceneCost }),
      ...beside.measured,
    },
    highlightsBucket: run.events.find((event) => event.highlightBucket !== null)?.highlightBucket ?? null,
  };
}

type Beside = Pick<VideoAnalysis, 'work'> & Pick<VideoAnalysis['sampling'], 'stillPictures' | 'actionEvery'>;

/** A run that was made up for findings of an earlier version took no time that anybody knows. */
const NOT_TIMED = {
  totalMs: 0,
  decodeMs: 0,
  stages: Object.fromEntries(CHAIN_STAGES.map((stage) => [stage, { runs: 0, items: 0, runMs: 0, totalMs: 0 }])),
};

/** What was read and left out, and by which settings, lies beside the times, in one column. */
function storedTimings(column: StoredRun['timings']): {
  readonly measured: Pick<VideoAnalysis, 'timings' | 'work'>;
  readonly sampling: Pick<VideoAnalysis['sampling'], 'stillPictures' | 'actionEvery'>;
} {
  const stored = (column ?? NOT_TIMED) as unknown as VideoAnalysis['timings'] & Beside;
  const { work, stillPictures, actionEvery, ...timings } = stored;
  return {
    measured: { timings, ...(work === undefined ? {} : { work }) },
    sampling: {
      ...(stillPictures === undefined ? {} : { stillPictures }),
      ...(actionEvery === undefined ? {} : { actionEvery }),
    },
  };
}

function storedFrames(run: StoredRun): AnalysedFrame[] {
  const frames = new Map<
    number,
    { index: number; t: number; detections: ObservedDetection[]; overlaps: { a: number; b: number; iou: number }[] }
  >();
  const frame = (index: number, t: number) => {
    const known = frames.get(index) ?? { index, t, detections: [], overlaps: [] };
    frames.set(index, known);
    return known;
  };
  for (const row of run.observations) frame(row.frameIndex, row.seconds).detections.push(storedDetection(row));
  for (const row of run.overlaps) {
    frame(row.frameIndex, row.seconds).overlaps.push({ a: row.trackA, b: row.trackB, iou: row.iou });
  }
  return [...frames.values()].sort((a, b) => a.index - b.index);
}

function storedDetection(row: StoredRun['observations'][number]): ObservedDetection {
  const { faceX1, faceY1, faceX2, faceY2 } = row;
  const noFace = faceX1 === null || faceY1 === null || faceX2 === null || faceY2 === null;
  return {
    track: row.track,
    class: row.class === 'face' ? 'face' : 'person',
    box: boxOf(row),
    score: row.score,
    face: noFace ? null : [faceX1, faceY1, faceX2, faceY2],
    age: row.age,
    ageGroup: row.ageGroup as AgeGroup | null,
    gender: row.gender as Gender,
    genderScore: row.genderScore,
    ...observedReadingsIn(row),
    zone: row.zone,
  };
}

function storedEvent(row: StoredRun['events'][number]): VideoAnalysis['events'][number] {
  return {
    type: row.type,
    track: row.track,
    startSeconds: row.startSeconds,
    durationSeconds: row.durationSeconds,
    frameIndex: row.frameIndex,
    box: boxOf(row),
    confidence: row.confidence,
    age: row.age,
    ageGroup: row.ageGroup as AgeGroup | null,
    gender: row.gender as Gender,
    orientation: row.orientation,
    zone: row.zone,
    text: row.text,
    keywords: row.keywords,
    highlight: row.highlightKey === null ? null : { key: row.highlightKey, file: '' },
  };
}

function boxOf(row: { x1: number; y1: number; x2: number; y2: number }): BoxTuple {
  return [row.x1, row.y1, row.x2, row.y2];
}
