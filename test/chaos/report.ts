import type { FaultKind } from './fault-plan.ts';

/** Milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly count: number;
}

export interface ChaosReport {
  readonly ok: boolean;
  readonly seed: number;
  readonly workers: number;
  readonly jobs: number;
  /** Of the queue's redrive policy. */
  readonly maxReceives: number;
  readonly runs: number;
  readonly lost: number;
  readonly doubled: number;
  /** Ids of the backend that are not known at the end, or mean another video or content than their messages did. */
  readonly unknownIds: number;
  /** Receives that were used up though no worker ended, froze past its lease or lost it, and no job or call failed. */
  readonly burntReceives: number;
  /** The messages with burnt receives. */
  readonly burnt: readonly string[];
  /** Receives after the first, by what came before them. */
  readonly receivedAgain: Readonly<Record<string, number>>;
  /** Messages that the queue moved by itself, and good ones that were rejected. */
  readonly stray: number;
  /** Bad messages of which the database does not say what the dead-letter queue says. */
  readonly unrecorded: number;
  /** Highlight images without a row, and rows without their image. */
  readonly strayImages: number;
  readonly leftovers: Readonly<Record<string, number>>;
  /** Share of the processing seconds whose result was thrown away. */
  readonly wastedWork: number;
  readonly wastedRuns: number;
  /** From SIGKILL to the start of the run that takes the video over. */
  readonly recoverKilledMs: Times | null;
  /** From SIGKILL to the video's completion. */
  readonly completeKilledMs: Times | null;
  /** From SIGTERM to the end of the process. */
  readonly sigtermToReleasedMs: Times | null;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Faults of the plan that this machine does not allow. */
  readonly leftOut: readonly string[];
  /** Contents that replaced others under their keys. */
  readonly uploadsAgain: number;
  readonly processesStarted: number;
  /** Starts that a fault broke off. */
  readonly failedStarts: number;
  /** Workers that ended themselves because their host was broken. */
  readonly halts: number;
  /** The most often that one message was handed out. */
  readonly mostReceives: number;
  readonly highlights: number;
  readonly deadLetters: number;
  readonly seconds: number;
  /** What is wrong, in words; empty when `ok`. */
  readonly problems: readonly string[];
  /** The workers' last lines, when something is wrong. */
  readonly log: readonly string[];
}

export function times(values: readonly number[]): Times | null {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95), max: at(1), count: sorted.length };
}

/** The report for people, a line a figure. */
export function renderReport(report: ChaosReport): string {
  const { leftovers, faults } = report;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const rows: readonly (readonly [string, string])[] = [
    ['seed, workers', `${report.seed}, ${report.workers} (${report.processesStarted} processes in turn)`],
    ['jobs', `${report.jobs} messages, ${report.runs} runs, ${report.seconds} s`],
    ['faults', list(faults)],
    ['left out', report.leftOut.join('; ') || 'none'],
    ['ended by their host', `${report.halts} workers, ${report.failedStarts} starts`],
    ['lost, doubled', `${report.lost}, ${report.doubled}`],
    ['ids', `${report.unknownIds} not known or wrong`],
    ['burnt receives', [String(report.burntReceives), ...report.burnt.slice(0, 5)].join('; ')],
    ['received again', list(report.receivedAgain) || 'none'],
    [
      'stray messages',
      `${report.stray} (at most ${report.mostReceives} of ${report.maxReceives} receives of one message)`,
    ],
    ['dead letters', `${report.deadLetters}, ${report.unrecorded} not recorded in the database`],
    ['highlight images', `${report.highlights}, ${report.strayImages} missing or orphaned`],
    ['left behind', list(leftovers)],
    ['wasted work', `${(100 * report.wastedWork).toFixed(1)} % of the processing time, ${report.wastedRuns} runs`],
    ['SIGKILL to takeover', timesText(report.recoverKilledMs)],
    ['SIGKILL to completion', timesText(report.completeKilledMs)],
    ['SIGTERM to exit', timesText(report.sigtermToReleasedMs)],
    ['result', report.ok ? 'nothing lost, nothing doubled, nothing left' : `${report.problems.length} problems`],
  ];
  return [...rows.map(([name, text]) => `${name.padEnd(22)} ${text}`), ...report.problems].join('\n');
}

function timesText(value: Times | null): string {
  return value === null
    ? 'none'
    : `p50 ${value.p50} ms, p95 ${value.p95} ms, longest ${value.max} ms (${value.count} times)`;
}
