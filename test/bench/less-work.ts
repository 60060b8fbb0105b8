import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import type { ActionEvent, ObservedDetection, VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { median, rounded } from './figures.ts';
import { thisMachine } from './machine.ts';
import { streetFootage } from './street-footage.ts';
import { analyzeAsProcess, type WorkerRun } from './worker-run.ts';

const DEMO_PACK = resolve(import.meta.dirname, '../../models/demo');

/** Each against the first, which reads everybody's action in every sampled frame and differs from the default in nothing else. */
const WAYS = {
  everyFrame: { ACTION_EVERY_SECONDS: '0' },
  everySecond: { ACTION_EVERY_SECONDS: '1.34' },
  default: {},
  everyFiveSeconds: { ACTION_EVERY_SECONDS: '5' },
  stillPictures: { STILL_PICTURES: 'reuse' },
} as const;
type Way = keyof typeof WAYS;

/** What is read less, what that saves, and how much of the answer is the same, on the demo scene and the street clip. */
export async function benchLessWork(): Promise<object> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '3' } },
    args: process.argv.slice(3),
  });
  const rounds = Number(values.rounds);
  await using folder = await temporaryFolder('bench-less-work');
  const demo = folder.at('demo.mp4');
  await renderVideo(demo, AbortSignal.timeout(300_000));
  const street = await streetFootage();
  return {
    machine: thisMachine(),
    demo: await compare(demo, DEMO_PACK, rounds),
    street: street === null ? 'skipped: its files are not here' : await compare(street.clip, street.pack, rounds),
  };
}

async function compare(video: string, pack: string, rounds: number): Promise<object> {
  const runs = new Map<Way, WorkerRun[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const way of Object.keys(WAYS) as Way[]) {
      console.error(`${video}, ${way}, round ${round + 1}`);
      const run = await analyzeAsProcess(video, { pack, framesPerSecond: 1.5, env: WAYS[way] });
      runs.set(way, [...(runs.get(way) ?? []), run]);
    }
  }
  const exact = runs.get('everyFrame') ?? [];
  return Object.fromEntries([...runs].map(([way, those]) => [way, figuresOf(those, exact)]));
}

function figuresOf(runs: readonly WorkerRun[], exact: readonly WorkerRun[]): object {
  const [run, against] = [runs[0]?.analysis, exact[0]?.analysis];
  if (run === undefined || against === undefined) return {};
  const ratio = (of: (run: WorkerRun) => number): number =>
    rounded(median(runs.map((one, round) => of(one) / of(exact[round] ?? one))));
  return {
    readings: Object.fromEntries(Object.entries(run.work ?? {}).map(([stage, { read }]) => [stage, read])),
    actionsBecause: run.work?.action.because,
    sameActions: sameActions(run, against),
    events: eventsAlike(run.events, against.events),
    cpuRatio: ratio(({ cost }) => cost.cpuSeconds),
    wallRatio: ratio(({ cost }) => cost.wallSeconds),
  };
}

/** Share of the observations of persons that say the same. */
function sameActions(run: VideoAnalysis, against: VideoAnalysis): number {
  const known = new Map(observations(against));
  const ours = observations(run);
  return rounded(ours.filter(([key, { action }]) => known.get(key)?.action === action).length / ours.length);
}

function observations({ frames }: VideoAnalysis): [string, ObservedDetection][] {
  return frames.flatMap(({ index, detections }) =>
    detections
      .filter((seen) => seen.class === 'person' && seen.track !== null)
      .map((seen): [string, ObservedDetection] => [`${index}/${seen.track}`, seen]),
  );
}

/** Of the events of reading every frame: how many are found, how far their begins and ends lie apart; and how many are found beside. */
function eventsAlike(events: readonly ActionEvent[], against: readonly ActionEvent[]): object {
  const left = [...events];
  const pairs = against.flatMap((known) => {
    const at = left.findIndex(
      (event) =>
        event.type === known.type &&
        event.track === known.track &&
        event.startSeconds < endOf(known) &&
        known.startSeconds < endOf(event),
    );
    const [found] = at < 0 ? [] : left.splice(at, 1);
    return found === undefined ? [] : [{ known, found }];
  });
  return {
    of: against.length,
    found: pairs.length,
    beside: left.length,
    equal: pairs.filter(({ known, found }) => apart(known, found) === 0).length,
    furthestSeconds: rounded(Math.max(0, ...pairs.map(({ known, found }) => apart(known, found)))),
  };
}

/** Milliseconds are what is stored. */
function apart(a: ActionEvent, b: ActionEvent): number {
  const seconds = Math.max(Math.abs(a.startSeconds - b.startSeconds), Math.abs(endOf(a) - endOf(b)));
  return Math.round(seconds * 1000) / 1000;
}

function endOf({ startSeconds, durationSeconds }: ActionEvent): number {
  return startSeconds + durationSeconds;
}
