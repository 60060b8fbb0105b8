import { actionPace, createActionPlan, type ActionPlan } from './action-plan.ts';
import { createActionSpans } from './action-spans.ts';
import { aggregateAttributes, createAttributeCollector, type PersonAttributes } from './attributes.ts';
import type { ActionReading, AgeGender, Orientation } from '../chain/model-chain.ts';
import type { AnalysisSettings } from './settings.ts';
import type { BoxTuple } from './video-analysis.ts';

/** Where an action may have begun: what its event will show. */
export interface EventMark {
  readonly frameIndex: number;
  readonly box: BoxTuple;
  readonly orientation: Orientation | null;
  readonly zone: string | null;
  /** JPEG of the frame, for actions that get a highlight. */
  jpeg: Uint8Array | null;
}

/** Everything known so far about one person; written in frame order only. */
export interface PersonHistory {
  readonly track: number;
  readonly startSeconds: number;
  endSeconds: number;
  observations: number;
  readonly collector: ReturnType<typeof createAttributeCollector>;
  readonly frameReadings: AgeGender[];
  readonly actions: ActionPlan;
  readonly spans: ReturnType<typeof createActionSpans<EventMark>>;
  readonly actionCounts: Map<string, number>;
  lastAction: ActionReading | null;
  lastOrientation: Orientation | null;
}

export interface PersonHistories {
  /** The person's history, begun at the first sighting, with one more observation. */
  see(track: number, t: number): PersonHistory;
  /** In order of the ids. */
  all(): readonly PersonHistory[];
}

export function createPersonHistories(settings: AnalysisSettings): PersonHistories {
  const histories = new Map<number, PersonHistory>();
  return {
    see(track, t) {
      const known = histories.get(track) ?? startHistory(track, t, settings);
      histories.set(track, known);
      known.observations += 1;
      // Whatever the clock of the footage does: what ends before it begins cannot be stored.
      known.endSeconds = Math.max(known.endSeconds, t);
      return known;
    },
    all: () => [...histories.values()].sort((a, b) => a.track - b.track),
  };
}

function startHistory(track: number, t: number, settings: AnalysisSettings): PersonHistory {
  const pace = actionPace(settings);
  return {
    track,
    startSeconds: t,
    endSeconds: t,
    observations: 0,
    collector: createAttributeCollector(settings.attributeReadings),
    frameReadings: [],
    actions: createActionPlan(pace),
    spans: createActionSpans({ ...settings.events, maxGapSeconds: pace.longestPauseSeconds }),
    actionCounts: new Map(),
    lastAction: null,
    lastOrientation: null,
  };
}

/** Age and gender over all readings of the person. */
export function attributesOf(history: PersonHistory): PersonAttributes {
  const kept = history.collector.readings();
  return aggregateAttributes(kept.length > 0 ? kept : history.frameReadings);
}

/** The action seen in most sampled frames; of equals the one seen first. */
export function mainActionOf(history: PersonHistory): string | null {
  let main: string | null = null;
  let most = 0;
  for (const [label, count] of history.actionCounts) {
    if (count > most) {
      main = label;
      most = count;
    }
  }
  return main;
}
