import type { Footage } from '../video/footage.ts';
import type { VideoInfo } from '../video/video-info.ts';
import { actionPace } from './action-plan.ts';
import { chooseActions, type ChosenFrame } from './choose-actions.ts';
import { createEventRecorder } from './event-recorder.ts';
import { createHighlightWriter } from './highlights.ts';
import { createKeyFrameKeeper, type KeyFrame } from './key-frames.ts';
import type { FrameHandle, ModelChain } from '../chain/model-chain.ts';
import { draftFrame, toAnalysedFrame, type FrameDraft, type PersonDraft, type Reported } from './observations.ts';
import { attributesOf, createPersonHistories } from './person-history.ts';
import { createFramePlanner, type FramePlan, type SeenFrame } from './person-plan.ts';
import { settleActions, type ChooseActions, type PersonReading } from './person-readings.ts';
import { createSeenUntil } from './seen-footage.ts';
import { samplesPerSecond, type AnalysisSettings } from './settings.ts';
import { toTrackSummary } from './track-summary.ts';
import { createTracker } from './tracking/tracker.ts';
import type { ActionEvent, AnalysedFrame, TrackSummary } from './video-analysis.ts';
import { createWorkCount, type VideoWork } from './video-work.ts';
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
  readonly work: VideoWork;
}

/** Collects what the frames of one video say. `plan` and `take` are each called once per frame, in frame order. */
export interface FrameAnalyst {
  plan(t: number, seen: SeenFrame): FramePlan;
  chooseActions(frame: ChosenFrame, signal: AbortSignal): ChooseActions;
  take(result: FrameResult, signal: AbortSignal): Promise<void>;
  finish(footage: Footage, signal: AbortSignal): Promise<Findings>;
}

export function createFrameAnalyst(
  video: { readonly videoId: string; readonly info: VideoInfo; readonly workspaceDir: string },
  chain: ModelChain,
  settings: AnalysisSettings,
): FrameAnalyst {
  const { info: picture, workspaceDir } = video;
  const histories = createPersonHistories(settings);
  const context = { chain, tracker: createTracker(settings.tracking, picture), histories, settings, picture };
  const events = createEventRecorder(video.videoId, createHighlightWriter(chain, workspaceDir), settings);
  const keyFrames = createKeyFrameKeeper(chain, workspaceDir, settings.keyFrames, picture.durationSeconds);
  const drafts: FrameDraft[] = [];
  const work = createWorkCount();
  const { watchesChanges } = actionPace(settings);

  return {
    plan: createFramePlanner(context),
    chooseActions: (frame, signal) => chooseActions(frame, watchesChanges, signal),
    async take(result, signal) {
      const persons = new Map<number, PersonDraft>();
      const { handle, plan } = result;
      // Whoever is not read in every frame may be left with a reading that only another one settles.
      const readings =
        watchesChanges || plan.isStill
          ? await settleActions({ chain, handle, plan }, result.readings, signal)
          : result.readings;
      for (const reading of readings) {
        const draft = personDraft(reading.person.isStill ? asBefore(reading) : reading, settings, picture);
        persons.set(reading.person.detection, draft);
        await events.record(result, reading, draft, signal);
      }
      work.add(readings, plan.isStill);
      const tracked = readings.filter(({ person }) => person.history !== null).length;
      await keyFrames.offer(result, tracked, handle, signal);
      drafts.push(draftFrame(result, persons, settings));
    },
    async finish(footage, signal) {
      signal.throwIfAborted();
      const seenUntil = createSeenUntil({
        times: drafts.map(({ t }) => t),
        footage,
        sampleSeconds: 1 / samplesPerSecond(settings.framesPerSecond, picture.frameRate),
      });
      const people = histories.all().filter((history) => history.observations >= settings.tracking.minObservations);
      const reported: Reported = new Map(
        people.map((history, index) => [history.track, { id: index + 1, attributes: attributesOf(history) }]),
      );
      return {
        frames: drafts.map((draft) => toAnalysedFrame(draft, reported, settings)),
        tracks: people.flatMap((history) => {
          const person = reported.get(history.track);
          return person === undefined ? [] : [toTrackSummary(person.id, history, person.attributes)];
        }),
        events: events.finish(people, reported, seenUntil),
        keyFrames: keyFrames.kept(footage.durationSeconds),
        work: work.total(),
      };
    },
  };
}

/** A person of a picture that has not changed faces where they did. */
function asBefore(reading: PersonReading): PersonReading {
  return { ...reading, orientation: reading.person.history?.lastOrientation ?? null };
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
  history.lastOrientation = orientation;
  if (reading.action !== null) history.lastAction = reading.action;
  const action = history.lastAction;
  if (action !== null) history.actionCounts.set(action.label, (history.actionCounts.get(action.label) ?? 0) + 1);
  return { ...readings, action, zone };
}
