import type { EventSettings } from './settings.ts';

/** One answer of the action model about one person. `mark` is carried along for whoever builds the event. */
export interface TimedAction<Mark> {
  readonly label: string;
  readonly score: number;
  readonly t: number;
  readonly mark: Mark;
}

/** A stretch of one action of one person; slips of a single reading inside it are passed over. */
export interface ActionSpan<Mark> {
  readonly label: string;
  readonly begin: TimedAction<Mark>;
  /** Of the last reading that agrees. */
  readonly lastSeconds: number;
  /** Until when it was taken to last: the last sighting at which such a reading was the newest one. */
  readonly heldSeconds: number;
  readonly readings: number;
  /** Sum of the scores of the readings that agree. */
  readonly scoreSum: number;
}

interface SpanStep<Mark> {
  /** Set when the reading may be the begin of a span: nothing is sure yet. */
  readonly candidate: TimedAction<Mark> | null;
  /** Set when the reading has confirmed a span that began earlier (or now). */
  readonly confirmed: ActionSpan<Mark> | null;
  /** A confirmed span that is over. */
  readonly ended: ActionSpan<Mark> | null;
}

/**
 * Turns one person's action readings, in time order, into spans. An action counts from `minReadings` readings in a row
 * on; until then it is a challenger of the running one, so a flicker neither makes an event nor splits one.
 */
export function createActionSpans<Mark>(settings: Pick<EventSettings, 'minReadings' | 'maxGapSeconds'>): {
  push(reading: TimedAction<Mark>): SpanStep<Mark>;
  /** The person was seen and not read: what was read last holds. */
  hold(t: number): void;
  /** Whether the last reading began something that only the next one confirms or refutes. */
  isUnsure(): boolean;
  /** The running span, at the end of the video. */
  finish(): ActionSpan<Mark> | null;
} {
  let running: ActionSpan<Mark> | null = null;
  let challenger: ActionSpan<Mark> | null = null;

  /** The span with the reading added, or null when the reading does not go on with it. */
  const continued = (span: ActionSpan<Mark> | null, reading: TimedAction<Mark>): ActionSpan<Mark> | null =>
    span !== null && span.label === reading.label && reading.t - span.heldSeconds <= settings.maxGapSeconds
      ? extend(span, reading)
      : null;

  /** Nothing lasts through a long absence. */
  const held = (span: ActionSpan<Mark>, t: number): ActionSpan<Mark> =>
    t - span.heldSeconds > settings.maxGapSeconds ? span : { ...span, heldSeconds: Math.max(span.heldSeconds, t) };

  function push(reading: TimedAction<Mark>): SpanStep<Mark> {
    const goesOn = continued(running, reading);
    if (goesOn !== null) {
      running = goesOn;
      challenger = null;
      return { candidate: null, confirmed: null, ended: null };
    }
    const rival = continued(challenger, reading);
    challenger = rival ?? begin(reading);
    const candidate = rival === null ? reading : null;
    const stale = running !== null && reading.t - running.heldSeconds > settings.maxGapSeconds ? running : null;
    if (stale !== null) running = null;
    if (challenger.readings < settings.minReadings) return { candidate, confirmed: null, ended: stale };
    const ended = stale ?? running;
    running = challenger;
    challenger = null;
    return { candidate, confirmed: running, ended };
  }

  return {
    push,
    hold(t) {
      if (challenger !== null) challenger = held(challenger, t);
      else if (running !== null) running = held(running, t);
    },
    isUnsure: () => challenger !== null,
    finish() {
      const last = running;
      running = null;
      return last;
    },
  };
}

function begin<Mark>(reading: TimedAction<Mark>): ActionSpan<Mark> {
  return {
    label: reading.label,
    begin: reading,
    lastSeconds: reading.t,
    heldSeconds: reading.t,
    readings: 1,
    scoreSum: reading.score,
  };
}

function extend<Mark>(span: ActionSpan<Mark>, reading: TimedAction<Mark>): ActionSpan<Mark> {
  const lastSeconds = Math.max(span.lastSeconds, reading.t);
  const heldSeconds = Math.max(span.heldSeconds, reading.t);
  return { ...span, lastSeconds, heldSeconds, readings: span.readings + 1, scoreSum: span.scoreSum + reading.score };
}
