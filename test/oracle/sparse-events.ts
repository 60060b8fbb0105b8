/** One reading of the action of one person. */
export interface SparseReading {
  readonly label: string;
  readonly t: number;
}

interface SparseSpan {
  readonly label: string;
  readonly begin: number;
  last: number;
  readings: number;
}

export interface SparseRule {
  /** Between two readings of a person who is always in view, seconds. */
  readonly period: number;
  readonly minReadings: number;
  readonly maxGapSeconds: number;
  readonly seenUntil: (seconds: number) => number;
}

/**
 * The events of one person where nothing holds between two readings: label, begin and duration in seconds. A pause may be as long as one
 * and a half periods, and the last reading stands for one more, as far as footage was seen.
 */
export function sparseEvents(readings: readonly SparseReading[], rule: SparseRule): [string, number, number][] {
  const longest = Math.max(rule.maxGapSeconds, 1.5 * rule.period);
  const ended: SparseSpan[] = [];
  let running: SparseSpan | null = null;
  let rival: SparseSpan | null = null;
  const goesOn = (span: SparseSpan | null, { label, t }: SparseReading): span is SparseSpan =>
    span !== null && span.label === label && t - span.last <= longest;
  for (const reading of readings) {
    const { label, t } = reading;
    const late: boolean = running !== null && t - running.last > longest;
    if (goesOn(running, reading)) {
      Object.assign(running, { last: t, readings: running.readings + 1 });
      rival = null;
      continue;
    }
    if (goesOn(rival, reading)) Object.assign(rival, { last: t, readings: rival.readings + 1 });
    else rival = { label, begin: t, last: t, readings: 1 };
    const isSure: boolean = rival.readings >= rule.minReadings;
    if (running !== null && (isSure || late)) {
      ended.push(running);
      running = null;
    }
    if (isSure) [running, rival] = [rival, null];
  }
  if (running !== null) ended.push(running);
  return ended.map(({ label, begin, last }) => {
    const end = Math.max(last, Math.min(last + rule.period, rule.seenUntil(last)));
    return [label, Math.round(begin * 1000) / 1000, Math.round((end - begin) * 1000) / 1000];
  });
}
