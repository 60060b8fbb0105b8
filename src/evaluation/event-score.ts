import type { ActionEvent } from '../analysis/video-analysis.ts';
import { VISIBLE_SHARE } from './match-frame.ts';
import type { Truth } from './truth.ts';

/** A stretch of one action of one person, seconds. */
interface Span {
  readonly person: string;
  readonly action: string;
  readonly from: number;
  readonly to: number;
}

export interface EventScore {
  readonly expected: number;
  readonly found: number;
  readonly matched: number;
  readonly f1: number | null;
}

const MIN_OVERLAP = 0.3;

/**
 * The events that a sampling of the video can show: cut to the time in which the person can be seen, one after the
 * other of the same action joined, shorter ones than `shortestSeconds` left out.
 */
export function expectedSpans(truth: Truth, ignored: readonly string[], shortestSeconds: number): Span[] {
  const spans: Span[] = [];
  for (const { person, action, beginSeconds, endSeconds } of truth.events) {
    const view = timeInView(truth, person);
    if (ignored.includes(action) || view === null) continue;
    const from = Math.max(beginSeconds, view.from);
    const to = Math.min(endSeconds, view.to);
    const last = spans.at(-1);
    if (last !== undefined && last.person === person && last.action === action && from - last.to < 0.05) {
      spans[spans.length - 1] = { ...last, to };
    } else spans.push({ person, action, from, to });
  }
  return spans.filter(({ from, to }) => to - from >= shortestSeconds);
}

/** F1 of the events: a match has the same person and action and an overlap in time of at least 0.3 (IoU). */
export function scoreEvents(
  expected: readonly Span[],
  events: readonly ActionEvent[],
  personOf: ReadonlyMap<number, string>,
): EventScore {
  const open = new Set(expected);
  let matched = 0;
  for (const event of events) {
    const span = [...open].find(
      (candidate) =>
        candidate.person === personOf.get(event.track) &&
        candidate.action === event.type &&
        timeIou(candidate, { from: event.startSeconds, to: event.startSeconds + event.durationSeconds }) >= MIN_OVERLAP,
    );
    if (span === undefined) continue;
    open.delete(span);
    matched += 1;
  }
  const total = expected.length + events.length;
  return { expected: expected.length, found: events.length, matched, f1: total === 0 ? null : (2 * matched) / total };
}

function timeInView(truth: Truth, person: string): { readonly from: number; readonly to: number } | null {
  const seen = truth.frames.filter(({ persons }) =>
    persons.some(({ id, visible }) => id === person && visible >= VISIBLE_SHARE),
  );
  const first = seen[0];
  const last = seen.at(-1);
  return first === undefined || last === undefined ? null : { from: first.seconds, to: last.seconds };
}

interface Period {
  readonly from: number;
  readonly to: number;
}

function timeIou(a: Period, b: Period): number {
  const shared = Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
  const union = Math.max(a.to, b.to) - Math.min(a.from, b.from);
  return union > 0 ? shared / union : 0;
}
