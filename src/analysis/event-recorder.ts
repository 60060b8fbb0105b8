import type { FrameHandle } from '../chain/model-chain.ts';
import { actionPace } from './action-plan.ts';
import type { ActionSpan, TimedAction } from './action-spans.ts';
import { roundTo, toBoxTuple } from './box-geometry.ts';
import { inEventOrder, toActionEvent } from './events.ts';
import { highlightFolder, highlightKeys } from './highlight-keys.ts';
import type { HighlightWriter } from './highlights.ts';
import type { PersonDraft, Reported } from './observations.ts';
import type { EventMark, PersonHistory } from './person-history.ts';
import type { PersonReading } from './person-readings.ts';
import type { AnalysisSettings } from './settings.ts';
import type { ActionEvent } from './video-analysis.ts';

interface RecordedFrame {
  readonly index: number;
  readonly t: number;
  /** Lives until the recording resolves. */
  readonly handle: FrameHandle;
}

interface FoundSpan {
  readonly history: PersonHistory;
  readonly span: ActionSpan<EventMark>;
}

/** Makes events, with their pictures, of the actions that are read of each person. */
export interface EventRecorder {
  record(frame: RecordedFrame, reading: PersonReading, draft: PersonDraft, signal: AbortSignal): Promise<void>;
  /** Ends what is still going on; events of the reported people, in order. `seenUntil`: how far the footage at a moment goes on. */
  finish(
    people: readonly PersonHistory[],
    reported: Reported,
    seenUntil: (seconds: number) => number,
  ): readonly ActionEvent[];
}

export function createEventRecorder(
  videoId: string,
  highlights: HighlightWriter,
  settings: AnalysisSettings,
): EventRecorder {
  const { holds, standsForSeconds } = actionPace(settings);
  const ended: FoundSpan[] = [];
  const images = new Map<TimedAction<EventMark>, string>();

  async function keepImage(begin: TimedAction<EventMark>, signal: AbortSignal): Promise<void> {
    const { jpeg } = begin.mark;
    if (jpeg === null) return;
    images.set(begin, await highlights.write(jpeg, signal));
    begin.mark.jpeg = null;
  }

  return {
    async record(frame, reading, draft, signal) {
      const { history, box } = reading.person;
      if (history === null) return;
      if (reading.action === null) {
        if (holds) history.spans.hold(frame.t);
        return;
      }
      const { label, score } = reading.action;
      const mark: EventMark = {
        frameIndex: frame.index,
        box: toBoxTuple(box),
        orientation: draft.orientation,
        zone: draft.zone,
        jpeg: null,
      };
      const step = history.spans.push({ label, score, t: frame.t, mark });
      if (step.ended !== null) ended.push({ history, span: step.ended });
      if (step.candidate !== null && settings.events.highlightActions.includes(label)) {
        // The frame is gone when the next reading confirms the action, so its picture is made now.
        const begin = { type: label, startSeconds: roundTo(frame.t, 3), box: mark.box };
        mark.jpeg = await highlights.capture(frame.handle, begin, signal);
      }
      if (step.confirmed !== null) await keepImage(step.confirmed.begin, signal);
    },
    finish(people, reported, seenUntil) {
      const running = people.flatMap((history) => {
        const span = history.spans.finish();
        return span === null ? [] : [{ history, span }];
      });
      const events = [...ended, ...running].flatMap(({ history, span }) => {
        const person = reported.get(history.track);
        if (person === undefined || settings.events.ignoredActions.includes(span.label)) return [];
        const file = images.get(span.begin) ?? null;
        const event = { track: person.id, attributes: person.attributes, span, imageFile: file };
        return [toActionEvent(event, standsForSeconds, seenUntil)];
      });
      return withHighlightKeys(videoId, inEventOrder(events));
    },
  };
}

/** Only once the events and their order are known are the keys, so that they can be told again from what is stored. */
function withHighlightKeys(videoId: string, events: readonly ActionEvent[]): readonly ActionEvent[] {
  const keys = highlightKeys(
    highlightFolder(videoId),
    events.filter(({ highlight }) => highlight !== null),
  ).values();
  return events.map((event) =>
    event.highlight === null
      ? event
      : { ...event, highlight: { ...event.highlight, key: keys.next().value ?? event.highlight.key } },
  );
}
