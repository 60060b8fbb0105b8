import { THIRDS, type ZonePlan } from './zones.ts';

type AttributeMode = 'per-track' | 'per-frame';
type SceneSource = 'local' | 'bedrock' | 'off';

export interface TrackingSettings {
  /** Boxes from this score on are matched first and to every track, hidden ones included. */
  readonly highScore: number;
  /** An unmatched box starts a person only from this score on. */
  readonly newTrackScore: number;
  /** A person unseen for longer gets a new id. */
  readonly maxGapSeconds: number;
  /** Persons seen in fewer sampled frames are not reported: a single box is more often a ghost than a person. */
  readonly minObservations: number;
  /** Share of the smaller box inside the other one from which two boxes are taken for one person. */
  readonly duplicateContainment: number;
}

export interface EventSettings {
  /** Readings of one action in a row, single slips not counted, that make it an event. */
  readonly minReadings: number;
  /** Two spans of one action of one person with a longer pause between them are two events; never less than 1.5 samples. */
  readonly maxGapSeconds: number;
  /** Labels that describe no event. */
  readonly ignoredActions: readonly string[];
  /** An event that begins with one of these gets a highlight image. */
  readonly highlightActions: readonly string[];
}

export interface AnalysisSettings {
  /** Sampled frames per second of footage; the decoder samples, the analysis only needs to know. */
  readonly framesPerSecond: number;
  /** Frames between decoding and result; each holds its pixels in memory. */
  readonly framesInFlight: number;
  readonly attributes: AttributeMode;
  /** Age and gender readings kept per person; a crop is read when it is better than the worst kept one. */
  readonly attributeReadings: number;
  /**
   * Seconds of footage between two action readings of a person who does not change; between them the last reading holds.
   * Per-frame attributes do not look at it.
   */
  readonly actionEverySeconds: number;
  /** Where it is set, the interval in sightings of the person, instead of the seconds; per-frame attributes go by it, too. */
  readonly actionEverySamples: number | null;
  /** `reuse`: a picture that has not changed shows what the last analysed one did; per-frame attributes analyse every one. */
  readonly stillPictures: 'analyse' | 'reuse';
  readonly scene: SceneSource;
  readonly sceneEverySamples: number;
  /** Fail the video when a scene text cannot be made, instead of recording a degraded stage. */
  readonly sceneRequired: boolean;
  readonly tracking: TrackingSettings;
  readonly events: EventSettings;
  readonly zones: ZonePlan;
  /** Overlaps below this intersection over union are not listed. */
  readonly minOverlap: number;
  /** Pictures kept in the workspace for a report. */
  readonly keyFrames: number;
}

/** What becomes of a picture that has not changed: exact attributes analyse every one, whatever the setting. */
export function stillPicturesOf({
  stillPictures,
  attributes,
}: Pick<AnalysisSettings, 'stillPictures' | 'attributes'>): AnalysisSettings['stillPictures'] {
  return attributes === 'per-frame' ? 'analyse' : stillPictures;
}

/** Samples in a second of footage: what is slower than the sampling is taken frame by frame. */
export function samplesPerSecond(framesPerSecond: number, frameRate: number): number {
  return frameRate > 0 ? Math.min(framesPerSecond, frameRate) : framesPerSecond;
}

/** The settings of a worker without configuration. */
export const DEFAULT_ANALYSIS_SETTINGS: AnalysisSettings = {
  framesPerSecond: 1.5,
  framesInFlight: 4,
  attributes: 'per-track',
  attributeReadings: 6,
  actionEverySeconds: 2,
  actionEverySamples: null,
  stillPictures: 'analyse',
  scene: 'local',
  sceneEverySamples: 10,
  sceneRequired: false,
  tracking: {
    highScore: 0.5,
    newTrackScore: 0.6,
    maxGapSeconds: 3,
    minObservations: 2,
    duplicateContainment: 0.65,
  },
  events: {
    minReadings: 2,
    maxGapSeconds: 2,
    ignoredActions: ['none'],
    highlightActions: ['collapse', 'falling', 'theft', 'violent', 'grabbing', 'anomaly'],
  },
  zones: THIRDS,
  minOverlap: 0.01,
  keyFrames: 0,
};
