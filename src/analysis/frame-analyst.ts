import type { VideoInfo } from '../video/video-info.ts';
import type { ActionSpan, TimedAction } from './action-spans.ts';
import { toBoxTuple } from './box-geometry.ts';
import { inEventOrder, toActionEvent } from './events.ts';
import { createHighlightWriter, type HighlightWriter } from './highlights.ts';
import { createKeyFrameKeeper, type KeyFrame } from './key-frames.ts';
import type { Detection, FrameHandle, ModelChain } from '../chain/model-chain.ts';
import { toAnalysedFrame, type FrameDraft, type PersonDraft, type Reported } from './observations.ts';
import { attributesOf, createPersonHistories, type EventMark, type PersonHistory } from './person-history.ts';
import { planFrame, type FramePlan } from './person-plan.ts';
import type { PersonReading } from './person-readings.ts';
import type { AnalysisSettings } from './settings.ts';
import { toTrackSummary } from './track-summary.ts';
import { createTracker } from './tracking/tracker.ts';
import type { ActionEvent, AnalysedFrame, HighlightImage, TrackSummary } from './video-analysis.ts';
import { zoneOf } from './zones.ts';

interface FrameResult {
  readonly index: number;
  readonly t: number;
  readonly plan: FramePlan;
  readonly readings: readonly PersonReading[];
  readonly handle: FrameHandle;
}

export interface Findings {
  readonly frames: readonly AnalysedFrame[];
  readonly tracks: readonly TrackSummary[];
  readonly events: readonly ActionEvent[];
  readonly keyFrames: readonly KeyFrame[];
}

/** Collects what the frames of one video say. `plan` and `take` are each called once per frame, in frame order. */
export interface FrameAnalyst {
  plan(t: number, detections: readonly Detection[]): FramePlan;
  take(result: FrameResult, signal: AbortSignal): Promise<void>;
  finish(signal: AbortSignal): Promise<Findings>;
}

interface FoundEvent {
  readonly history: PersonHistory;
  readonly span: ActionSpan<EventMark>;
}

export function createFrameAnalyst(
  video: { readonly videoId: string; readonly info: VideoInfo; readonly workspaceDir: string },
  chain: ModelChain,
  settings: AnalysisSettings,
): FrameAnalyst {
  const { info: picture, workspaceDir } = video;
  const histories = createPersonHistories(settings);
  const context = { tracker: createTracker(settings.tracking, picture), histories, settings, picture };
  const highlights = createHighlightWriter(chain, video.videoId, workspaceDir);
  const keyFrames = createKeyFrameKeeper(chain, workspaceDir, settings.keyFrames, picture.durationSeconds);
  const drafts: FrameDraft[] = [];
  const ended: FoundEvent[] = [];
  const images = new Map<TimedAction<EventMark>, HighlightImage>();

  async function act(
    result: FrameResult,
    reading: PersonReading,
    draft: PersonDraft,
    signal: AbortSignal,
  ): Promise<void> {
    const { history, box } = reading.person;
    if (history === null || reading.action === null) return;
    const { label, score } = reading.action;
    const mark: EventMark = {
      frameIndex: result.index,
      box: toBoxTuple(box),
      orientation: draft.orientation,
      zone: draft.zone,
      jpeg: null,
    };
    const step = history.spans.push({ label, score, t: result.t, mark });
    if (step.ended !== null) ended.push({ history, span: step.ended });
    if (step.candidate !== null && settings.events.highlightActions.includes(label)) {
      // The frame is gone when the next reading confirms the action, so its picture is made now.
      mark.jpeg = await highlights.capture(result.handle, box, `${label} ${result.t.toFixed(1)} s`, signal);
    }
    if (step.confirmed !== null) await keepImage(step.confirmed.begin, highlights, images, signal);
  }

  return {
    plan: (t, detections) => planFrame(context, t, detections),
    async take(result, signal) {
      const persons = new Map<number, PersonDraft>();
      for (const reading of result.readings) {
        const draft = personDraft(reading, settings, picture);
        persons.set(reading.person.detection, draft);
        await act(result, reading, draft, signal);
      }
      const tracked = result.readings.filter(({ person }) => person.history !== null).length;
      await keyFrames.offer(result, tracked, result.handle, signal);
      drafts.push({ index: result.index, t: result.t, plan: result.plan, persons });
    },
    async finish(signal) {
      signal.throwIfAborted();
      const people = histories.all().filter((history) => history.observations >= settings.tracking.minObservations);
      const reported: Reported = new Map(
        people.map((history, index) => [history.track, { id: index + 1, attributes: attributesOf(history) }]),
      );
      const running = people.flatMap((history) => {
        const span = history.spans.finish();
        return span === null ? [] : [{ history, span }];
      });
      const events = [...ended, ...running].flatMap(({ history, span }) => {
        const person = reported.get(history.track);
        if (person === undefined || settings.events.ignoredActions.includes(span.label)) return [];
        const highlight = images.get(span.begin) ?? null;
        const period = settings.actionEverySamples / settings.framesPerSecond;
        const event = { track: person.id, attributes: person.attributes, span, highlight };
        return [toActionEvent(event, period, picture.durationSeconds)];
      });
      return {
        frames: drafts.map((draft) => toAnalysedFrame(draft, reported, settings)),
        tracks: people.flatMap((history) => {
          const person = reported.get(history.track);
          return person === undefined ? [] : [toTrackSummary(person.id, history, person.attributes)];
        }),
        events: inEventOrder(events),
        keyFrames: keyFrames.kept(),
      };
    },
  };
}

/** Files a person's readings: attributes into their slots, the action carried on where it was not read. */
function personDraft(
  reading: PersonReading,
  settings: AnalysisSettings,
  picture: { readonly width: number; readonly height: number },
): PersonDraft {
  const { person, ...readings } = reading;
  const { orientation, ageGender } = readings;
  const { history } = person;
  const zone = zoneOf(settings.zones, person.box, orientation?.degrees ?? null, picture);
  person.attributes?.slot?.fill(ageGender);
  if (history === null) return { ...readings, zone };
  if (settings.attributes === 'per-frame' && ageGender !== null) history.frameReadings.push(ageGender);
  if (reading.action !== null) history.lastAction = reading.action;
  const action = history.lastAction;
  if (action !== null) history.actionCounts.set(action.label, (history.actionCounts.get(action.label) ?? 0) + 1);
  return { ...readings, action, zone };
}

async function keepImage(
  begin: TimedAction<EventMark>,
  highlights: HighlightWriter,
  images: Map<TimedAction<EventMark>, HighlightImage>,
  signal: AbortSignal,
): Promise<void> {
  const { jpeg } = begin.mark;
  if (jpeg === null) return;
  images.set(begin, await highlights.write(jpeg, begin.t, begin.label, signal));
  begin.mark.jpeg = null;
}
