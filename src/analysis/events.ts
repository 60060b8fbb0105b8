import { ageGroupOf } from './age-group.ts';
import type { PersonAttributes } from './attributes.ts';
import type { ActionSpan } from './action-spans.ts';
import { roundTo } from './box-geometry.ts';
import { clockText } from './clock-text.ts';
import type { EventMark } from './person-history.ts';
import type { ActionEvent } from './video-analysis.ts';

interface EventInput {
  /** Reported id of the person. */
  readonly track: number;
  readonly attributes: PersonAttributes;
  readonly span: ActionSpan<EventMark>;
  /** Its key is given when all events are known. */
  readonly imageFile: string | null;
}

/** The stored event of a span. Its last sighting, or reading, stands for `standsForSeconds` more, where footage of that was seen. */
export function toActionEvent(
  input: EventInput,
  standsForSeconds: number,
  seenUntil: (seconds: number) => number,
): ActionEvent {
  const { span, track, attributes } = input;
  const { begin } = span;
  const { heldSeconds } = span;
  const end = Math.max(heldSeconds, Math.min(heldSeconds + standsForSeconds, seenUntil(heldSeconds)));
  const durationSeconds = roundTo(end - begin.t, 3);
  const { age, gender } = attributes;
  const ageGroup = age === null ? null : ageGroupOf(age);
  const { zone, orientation } = begin.mark;
  return {
    type: span.label,
    track,
    startSeconds: roundTo(begin.t, 3),
    durationSeconds,
    frameIndex: begin.mark.frameIndex,
    box: begin.mark.box,
    confidence: roundTo(span.scoreSum / span.readings, 4),
    age,
    ageGroup,
    gender,
    orientation: orientation?.degrees ?? null,
    zone,
    text: eventText(span.label, track, begin.t, durationSeconds, { age, gender, zone }),
    keywords: [span.label, `person ${track}`, zone, gender, ageGroup].filter((word) => word !== null),
    highlight: input.imageFile === null ? null : { key: '', file: input.imageFile },
  };
}

/** By start, then person. */
export function inEventOrder<E extends Pick<ActionEvent, 'startSeconds' | 'track' | 'type'>>(
  events: readonly E[],
): E[] {
  return [...events].sort(
    (a, b) => a.startSeconds - b.startSeconds || a.track - b.track || a.type.localeCompare(b.type),
  );
}

function eventText(
  label: string,
  track: number,
  startSeconds: number,
  durationSeconds: number,
  who: { readonly age: number | null; readonly gender: string | null; readonly zone: string | null },
): string {
  const described = [who.gender, who.age === null ? null : `about ${Math.round(who.age)} years`].filter(
    (part) => part !== null,
  );
  const person = described.length > 0 ? `Person ${track} (${described.join(', ')})` : `Person ${track}`;
  const place = who.zone === null ? '' : ` in zone ${who.zone}`;
  return `${person}: ${label} at ${clockText(startSeconds)} for ${durationSeconds.toFixed(1)} s${place}`;
}
