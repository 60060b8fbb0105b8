import { parseArgs } from 'node:util';
import { rounded } from './figures.ts';
import { thisMachine } from './machine.ts';
import { loopOf, streetFootage } from './street-footage.ts';
import { videosAtOnce } from './videos-at-once.ts';
import { analyzeAsProcess } from './worker-run.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  fps: { type: 'string', default: '1.5' },
  minutes: { type: 'string', default: '0.5,1,10,60' },
  videos: { type: 'string', default: '1,2,4' },
  project: { type: 'string' },
} as const;

const AIMS = { lengthRatio: 1.05, peakMiB: 300 };

interface Peak {
  readonly peakMiB: number;
  readonly treePeakMiB: number;
}

/**
 * Peak memory of the built `analyze` on loops of the street clip of several lengths, and of the built daemon with several videos at work
 * at once. The rate is one for all lengths. `--minutes` and `--videos` say which; `--project` measures another copy of the worker.
 */
export async function benchMemory(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  const street = await streetFootage();
  if (street === null) return { memory: 'skipped: the street pack and its clip are not here; set STREET_DIR' };
  const { pack, clip } = street;
  const { project } = values;
  const framesPerSecond = Number(values.fps);
  const lengths: Record<string, Peak> = {};
  for (const minutes of numbers(values.minutes)) {
    const video = await loopOf(clip, minutes * 60);
    const { cost, analysis } = await analyzeAsProcess(video, { project, pack, framesPerSecond });
    const measured = figures({ frames: analysis.sampling.frames, ...cost });
    const { peakMiB, treePeakMiB, wallSeconds } = measured;
    console.error(`${minutes} min: ${peakMiB} MiB, ${treePeakMiB} MiB with ffmpeg, ${wallSeconds} s`);
    lengths[String(minutes)] = measured;
  }
  const atOnce: Record<string, Peak> = {};
  for (const count of numbers(values.videos)) {
    const peak = figures(await videosAtOnce({ pack, video: clip, count, framesPerSecond, project }));
    console.error(`${count} at once: ${peak.peakMiB} MiB, ${peak.treePeakMiB} MiB with ffmpeg, ${peak.wallSeconds} s`);
    atOnce[String(count)] = peak;
  }
  return {
    machine: thisMachine(),
    framesPerSecond,
    aims: AIMS,
    minutes: lengths,
    videosAtOnce: atOnce,
    ratios: lengthRatios(lengths),
  };
}

/** Peaks of the process, each to that of the next shorter length that the aims name; no entry where one of the two was not measured. */
export function lengthRatios(lengths: Readonly<Record<string, Peak>>): Readonly<Record<string, number>> {
  const pairs = [
    ['10 min to 30 s', lengths['10'], lengths['0.5']],
    ['60 to 10 min', lengths['60'], lengths['10']],
  ] as const;
  return Object.fromEntries(
    pairs.flatMap(([name, long, short]) =>
      long === undefined || short === undefined ? [] : [[name, rounded(long.peakMiB / short.peakMiB)]],
    ),
  );
}

/** `0.5,10` as numbers; throws for what is none. */
export function numbers(list: string): readonly number[] {
  const parts = list.split(',').filter((part) => part !== '');
  return parts.map((part) => {
    const value = Number(part);
    if (!(value > 0)) throw new Error(`"${part}" of "${list}" is not a number above 0`);
    return value;
  });
}

function figures<Figures extends object>(measured: Figures): Figures {
  const entries = Object.entries(measured).map(([name, value]) => [name, rounded(Number(value))]);
  return Object.fromEntries(entries) as Figures;
}
