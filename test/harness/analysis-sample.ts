import { observedReadings } from '../../src/analysis/person-readings.ts';
import { perStage } from '../../src/chain/per-stage.ts';
import type { ActionEvent, ObservedDetection, VideoAnalysis } from '../../src/analysis/video-analysis.ts';

const timing = { runs: 2, items: 4, runMs: 30, totalMs: 40 };

/** A person's detection with every field set; `changes` replaces some. */
export function sampleDetection(changes: Partial<ObservedDetection> = {}): ObservedDetection {
  return {
    track: 1,
    class: 'person',
    box: [100, 200, 220, 500],
    score: 0.91,
    face: null,
    age: 34.5,
    ageGroup: 'middle',
    gender: 'female',
    genderScore: 0.97,
    ...observedReadings(null),
    orientation: 90,
    action: 'walking',
    actionScore: 0.8,
    zone: 'left',
    ...changes,
  };
}

export function sampleEvent(changes: Partial<ActionEvent> = {}): ActionEvent {
  return {
    type: 'grabbing',
    track: 1,
    startSeconds: 1.4,
    durationSeconds: 1.3,
    frameIndex: 14,
    box: [100, 200, 220, 500],
    confidence: 0.8,
    age: 34.5,
    ageGroup: 'middle',
    gender: 'female',
    orientation: 90,
    zone: 'left',
    text: 'Person 1: grabbing',
    keywords: ['grabbing', 'person 1'],
    highlight: { key: 'highlights/7/1.4s_grabbing.jpg', file: '/nowhere/1.4s_grabbing.jpg' },
    ...changes,
  };
}

/** Four sampled frames with one person who walks and then grabs; `changes` replaces whole fields. */
export function sampleAnalysis(changes: Partial<VideoAnalysis> = {}): VideoAnalysis {
  return {
    version: 1,
    video: {
      width: 1280,
      height: 720,
      frameRate: 10,
      durationSeconds: 2.7,
      codec: 'h264',
      container: 'mov',
      sizeBytes: 2_400_000,
    },
    pack: { name: 'scripted', fingerprint: 'f'.repeat(64), device: 'cpu' },
    sampling: { framesPerSecond: 1.5, frames: 4, attributes: 'per-track', decode: 'exact' },
    frames: [0, 7, 14, 20].map((index, sample) => ({
      index,
      t: index / 10,
      detections: [sampleDetection({ action: sample < 2 ? 'walking' : 'grabbing' })],
      overlaps: [],
    })),
    tracks: [
      {
        id: 1,
        startSeconds: 0,
        endSeconds: 2,
        observations: 4,
        age: 34.5,
        ageGroup: 'middle',
        gender: 'female',
        genderScore: 0.97,
        mainAction: 'walking',
      },
    ],
    events: [sampleEvent()],
    scenes: [{ t: 0, frameIndex: 0, text: 'A woman walks.', source: 'local' }],
    degraded: [],
    work: {
      detection: { read: 4, leftOut: { stillPicture: 0 } },
      ageGender: { read: 3, leftOut: { notBestCrop: 1, stillPicture: 0 } },
      orientation: { read: 4, leftOut: { stillPicture: 0 } },
      action: {
        read: 3,
        leftOut: { interval: 1, stillPicture: 0 },
        because: { first: 1, interval: 0, box: 1, motion: 0, pose: 0, unsure: 1 },
      },
    },
    timings: {
      totalMs: 800,
      decodeMs: 90,
      stages: perStage(() => timing),
    },
    ...changes,
  };
}
