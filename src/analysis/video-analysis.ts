import type { Gender, StageTiming } from '../chain/model-chain.ts';
import type { ChainStage } from '../failure/stage.ts';
import type { VideoWork } from './video-work.ts';

/** Version of the JSON form below; raised when a field changes its meaning or goes away. */
export const ANALYSIS_FORMAT_VERSION = 1;

export type AgeGroup = 'young' | 'middle' | 'old';

/** [x1, y1, x2, y2] in source pixels. */
export type BoxTuple = readonly [number, number, number, number];

export interface ObservedDetection {
  /** The person's id; a face has its person's. Null: a second box on somebody, or too unsure to be a person. */
  readonly track: number | null;
  readonly class: 'person' | 'face';
  readonly box: BoxTuple;
  readonly score: number;
  /** The person's face in this frame. */
  readonly face: BoxTuple | null;
  readonly age: number | null;
  readonly ageGroup: AgeGroup | null;
  readonly gender: Gender | null;
  readonly genderScore: number | null;
  readonly orientation: number | null;
  readonly action: string | null;
  readonly actionScore: number | null;
  readonly zone: string | null;
}

export interface AnalysedFrame {
  /** Number of the frame in the file. */
  readonly index: number;
  readonly t: number;
  readonly detections: readonly ObservedDetection[];
  /** Pairs of persons that overlap: track ids and intersection over union. */
  readonly overlaps: readonly { readonly a: number; readonly b: number; readonly iou: number }[];
}

export interface TrackSummary {
  readonly id: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly observations: number;
  readonly age: number | null;
  readonly ageGroup: AgeGroup | null;
  readonly gender: Gender | null;
  readonly genderScore: number | null;
  /** The action seen most often. */
  readonly mainAction: string | null;
}

export interface HighlightImage {
  /** `highlights/{video_id}/{seconds}s_{action}.jpg`, seconds with one decimal. */
  readonly key: string;
  /** File in the job's workspace, until it is uploaded. */
  readonly file: string;
}

export interface ActionEvent {
  readonly type: string;
  readonly track: number;
  readonly startSeconds: number;
  readonly durationSeconds: number;
  /** Number in the file of the frame in which the action begins. */
  readonly frameIndex: number;
  readonly box: BoxTuple;
  readonly confidence: number;
  readonly age: number | null;
  readonly ageGroup: AgeGroup | null;
  readonly gender: Gender | null;
  readonly orientation: number | null;
  readonly zone: string | null;
  readonly text: string;
  readonly keywords: readonly string[];
  readonly highlight: HighlightImage | null;
}

export interface SceneText {
  readonly t: number;
  readonly frameIndex: number;
  readonly text: string;
  readonly source: 'local' | 'bedrock';
}

/** What the remote scene texts of one video cost. */
export interface SceneCost {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** By the configured prices per token. */
  readonly usd: number;
}

export interface StageFailure {
  /**
   * A model, what is done with its findings (`highlights` are images that could not be put into their bucket), or `decode`: a stretch of
   * the video that no frame came of.
   */
  readonly stage: ChainStage | 'highlights' | 'decode';
  readonly code: string;
  readonly message: string;
  /** How many images the events go without. */
  readonly count?: number;
  /** Where the missing stretch begins and ends, seconds; no end where nothing says how much is missing. */
  readonly fromSeconds?: number;
  readonly toSeconds?: number | null;
}

export interface VideoAnalysis {
  readonly version: typeof ANALYSIS_FORMAT_VERSION;
  readonly video: {
    readonly width: number;
    readonly height: number;
    readonly frameRate: number;
    readonly durationSeconds: number;
    readonly codec: string;
    readonly container: string;
    readonly sizeBytes: number;
  };
  readonly pack: { readonly name: string; readonly fingerprint: string; readonly device: 'cpu' | 'cuda' };
  readonly sampling: {
    readonly framesPerSecond: number;
    readonly frames: number;
    readonly attributes: 'per-track' | 'per-frame';
    /** `fast`: frames were left out, so that a sample may be a later frame of its interval than the first one. */
    readonly decode: 'exact' | 'fast';
    /** `reuse`: a picture that had not changed shows what the one before it did. Absent, like the next, where it was not yet recorded. */
    readonly stillPictures?: 'analyse' | 'reuse';
    /** The interval between two action readings of a person who does not change. */
    readonly actionEvery?: { readonly seconds: number } | { readonly samples: number };
  };
  readonly frames: readonly AnalysedFrame[];
  readonly tracks: readonly TrackSummary[];
  readonly events: readonly ActionEvent[];
  readonly scenes: readonly SceneText[];
  /** What the analysis goes without though the video did not fail: scene texts, highlight images, stretches of the video. */
  readonly degraded: readonly StageFailure[];
  /** What was read and what was left out as it would say the same; absent in analyses from before that was counted. */
  readonly work?: VideoWork;
  /** Only with scene texts by a paid service. */
  readonly sceneCost?: SceneCost;
  readonly timings: {
    readonly totalMs: number;
    readonly decodeMs: number;
    readonly stages: Readonly<Record<ChainStage, StageTiming>>;
  };
}
