import type { ChaosOptions } from './chaos.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger, VideoState } from './ledger.ts';
import type { Workload } from './workload.ts';

interface Times {
  readonly p50: number;
  readonly max: number;
  readonly count: number;
}

export interface ChaosReport {
  readonly ok: boolean;
  readonly seed: number;
  readonly jobs: number;
  readonly runs: number;
  /** Good videos without a complete result, and bad messages that are not in the dead-letter queue with their reason. */
  readonly lost: number;
  /** Videos with more than one completed run or with more rows than one run writes. */
  readonly doubled: number;
  readonly leftovers: Readonly<Record<string, number>>;
  /** Runs of good videos that did not complete. */
  readonly wastedRuns: number;
  readonly recoverKilledMs: Times | null;
  readonly sigtermToReleasedMs: Times | null;
  readonly faults: Readonly<Record<string, number>>;
  /** What is wrong, in words; empty when `ok`. */
  readonly problems: readonly string[];
  /** The workers' last lines, when something is wrong. */
  readonly log: readonly string[];
}

export interface Evidence {
  readonly options: ChaosOptions;
  readonly workload: Workload;
  readonly ledger: Ledger;
  readonly fleet: Fleet;
  readonly faults: Readonly<Record<string, number>>;
  readonly leftovers: Readonly<Record<string, number>>;
}

/** Compares what was sent with what is in the database and in the dead-letter queue. */
export async function judge(evidence: Evidence): Promise<ChaosReport> {
  const { options, workload, ledger, fleet, faults, leftovers } = evidence;
  await ledger.readDead();
  const videos = await ledger.videos();
  const byKey = Map.groupBy(videos, ({ key }) => key);
  const lost: string[] = [];
  const doubled: string[] = [];
  for (const key of workload.good) {
    const states = byKey.get(key) ?? [];
    if (!states.some(isComplete)) lost.push(`${key}: ${JSON.stringify(states)}`);
    if (states.length > 1 || states.some(isDoubled)) doubled.push(`${key}: ${JSON.stringify(states)}`);
  }
  for (const [id, code] of workload.bad) {
    const found = ledger.dead.get(id);
    if (found === code) continue;
    lost.push(`message ${id}: expected ${code} in the dead-letter queue, found ${found ?? 'nothing'}`);
  }
  const stray = [...ledger.dead].filter(([id]) => !workload.bad.has(id));
  const problems = [
    ...lost.map((text) => `lost ${text}`),
    ...doubled.map((text) => `doubled ${text}`),
    ...stray.map(([id, code]) => `message ${id} is in the dead-letter queue with ${code}, and is good`),
    ...Object.entries(leftovers).flatMap(([name, count]) => (count > 0 ? [`left: ${count} ${name}`] : [])),
    ...fleet.surprises,
  ];
  const good = new Set(workload.good);
  const goodVideos = videos.filter(({ key }) => good.has(key));
  const sum = (of: (video: VideoState) => number, list: readonly VideoState[]): number =>
    list.reduce((total, video) => total + of(video), 0);
  return {
    ok: problems.length === 0,
    seed: options.seed,
    jobs: options.jobs,
    runs: sum(({ runs }) => runs, videos),
    lost: lost.length,
    doubled: doubled.length,
    leftovers,
    wastedRuns: sum(({ runs, completedRuns }) => runs - completedRuns, goodVideos),
    recoverKilledMs: times(await ledger.recoveries(fleet.kills)),
    sigtermToReleasedMs: times(fleet.released),
    faults,
    problems,
    log: problems.length === 0 ? [] : fleet.log.slice(-40).map((text) => text.slice(0, 600)),
  };
}

/** The scripted chain sees one body with its face, falling, in each frame: two rows a frame, one track, one event. */
const ROWS_PER_FRAME = 2;

function isComplete(video: VideoState): boolean {
  const { status, frames, observations, tracks, events } = video;
  return (
    status === 'completed' &&
    frames !== null &&
    frames >= 2 &&
    observations === ROWS_PER_FRAME * frames &&
    tracks === 1 &&
    events === 1
  );
}

function isDoubled({ completedRuns, frames, observations, tracks, events }: VideoState): boolean {
  return completedRuns > 1 || tracks > 1 || events > 1 || (frames !== null && observations > ROWS_PER_FRAME * frames);
}

function times(values: readonly number[]): Times | null {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round);
  const [p50, max] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)];
  return p50 === undefined || max === undefined ? null : { p50, max, count: sorted.length };
}
