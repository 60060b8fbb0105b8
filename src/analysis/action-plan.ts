import type { Orientation } from '../chain/model-chain.ts';
import type { Box } from '../vision/box.ts';
import { createSpeedometer, personChange, type PersonChange, type PersonLook } from './person-change.ts';
import type { AnalysisSettings } from './settings.ts';

/**
 * Why a person's action is read. `first`: they are seen first, or again after so long that nothing read before holds any more. `interval`:
 * the last reading is old enough. `unsure`: the last one said something else than those before it, and only a second one in a row settles that.
 */
export type ActionReason = 'first' | 'interval' | PersonChange | 'unsure';

type PaceSettings = Pick<
  AnalysisSettings,
  'attributes' | 'framesPerSecond' | 'actionEverySamples' | 'actionEverySeconds' | 'events'
>;

/** The interval as it is configured, whichever of the two settings counts. */
export function actionInterval(
  settings: Pick<AnalysisSettings, 'attributes' | 'actionEverySamples' | 'actionEverySeconds'>,
): { readonly seconds: number } | { readonly samples: number } {
  const { attributes, actionEverySamples: samples, actionEverySeconds: seconds } = settings;
  if (samples !== null) return { samples };
  return attributes === 'per-frame' ? { samples: 1 } : { seconds };
}

/** How often the action of one person is read. */
export interface ActionPace {
  /** Whether a reading of this time, so many sightings ago, is too old to hold at the other time. */
  readonly isDue: (last: { readonly t: number; readonly samples: number }, t: number) => boolean;
  /** Whether a person who changes, or was away, is read before that. */
  readonly watchesChanges: boolean;
  /** Whether a reading holds at the sightings after it; otherwise each stands for `standsForSeconds`, seen or not. */
  readonly holds: boolean;
  /** How long the last reading of an action, or the last sighting at which one held, goes on. */
  readonly standsForSeconds: number;
  /** A longer absence ends whatever a person did. */
  readonly longestPauseSeconds: number;
}

/**
 * Per frame everybody is read in every sample; per track at a beat of footage, and sooner when a person changes.
 * A number of samples, where one is set, is the interval of both.
 */
export function actionPace(settings: PaceSettings): ActionPace {
  const { attributes, actionEverySamples: everySamples, framesPerSecond, events } = settings;
  const isExact = attributes === 'per-frame';
  const standsForSeconds = (isExact ? (everySamples ?? 1) : 1) / framesPerSecond;
  return {
    ...beat(settings),
    holds: !isExact,
    standsForSeconds,
    // What is further apart than the longest pause of an event must still follow one another.
    longestPauseSeconds: Math.max(events.maxGapSeconds, 1.5 * standsForSeconds),
  };
}

function beat(settings: PaceSettings): Pick<ActionPace, 'isDue' | 'watchesChanges'> {
  const { attributes, actionEverySamples: everySamples, actionEverySeconds, framesPerSecond } = settings;
  const isExact = attributes === 'per-frame';
  if (isExact || everySamples !== null) {
    const most = everySamples ?? 1;
    return { isDue: ({ samples }) => samples >= most, watchesChanges: !isExact && most > 1 };
  }
  const sampleSeconds = 1 / framesPerSecond;
  if (actionEverySeconds <= sampleSeconds) return { isDue: () => true, watchesChanges: false };
  // The beats are those of the video, not of each person: everybody is due in the same frames, and a frame's persons share a run of the
  // model, most of whose time does not depend on their number. Samples lie on frames, a little to either side of their even places.
  const beatAt = (t: number): number => Math.floor((t + sampleSeconds / 2) / actionEverySeconds);
  return { isDue: (last, t) => beatAt(t) !== beatAt(last.t), watchesChanges: true };
}

/** A person in a sampled frame, as far as it is known before the action model is asked. */
export interface ActionSighting {
  readonly t: number;
  readonly box: Box;
  readonly orientation: Pick<Orientation, 'degrees' | 'score'> | null;
}

/** Decides for one person, sighting by sighting in frame order, whether the action is read; between readings the last one holds. */
export interface ActionPlan {
  decide(sighting: ActionSighting): ActionReason | null;
  /** The person was seen in a picture that had not changed: what was decided before holds. */
  hold(t: number): void;
}

interface LastReading {
  readonly t: number;
  look: PersonLook;
  samples: number;
}

export function createActionPlan(pace: ActionPace): ActionPlan {
  let last: LastReading | null = null;
  let lastSeen = -Infinity;
  const speedOf = createSpeedometer();

  function reasonFor(now: ActionSighting, look: PersonLook): ActionReason | null {
    if (last === null) return 'first';
    last.samples += 1;
    if (pace.isDue(last, now.t)) return 'interval';
    if (!pace.watchesChanges) return null;
    if (now.t - lastSeen > pace.longestPauseSeconds) return 'first';
    // Of a first sighting nobody knows how fast it was: the second one tells.
    if (last.look.speed === null) last.look = { ...last.look, speed: look.speed };
    return personChange(last.look, look);
  }

  return {
    decide(now) {
      const look = { box: now.box, speed: speedOf(now), orientation: now.orientation };
      const reason = reasonFor(now, look);
      if (reason !== null) last = { t: now.t, look, samples: 0 };
      lastSeen = now.t;
      return reason;
    },
    hold(t) {
      lastSeen = t;
    },
  };
}
