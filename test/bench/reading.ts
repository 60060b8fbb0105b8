import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, rounded } from './figures.ts';
import { answerOf } from './forked.ts';
import { thisMachine } from './machine.ts';
import { numbers } from './memory.ts';
import type { ReadingRun } from './reading-run.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  videos: { type: 'string', default: '1,2,4,8' },
  rates: { type: 'string', default: 'free,96' },
  seconds: { type: 'string', default: '4' },
  rounds: { type: 'string', default: '3' },
} as const;

const WHERE = ['main', 'thread'] as const;
const SCRIPT = join(import.meta.dirname, 'reading-run.ts');

/**
 * What it takes to read 1080p frames from ffmpeg, on the main thread and on a thread for each video: so many videos at once, at so many
 * frames per second of all together (`free`: as fast as they come), nobody else working. It takes what `npm run build` made. Each run is a process of its own; the two ways take
 * turns, and the figures are medians.
 */
export async function benchReading(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  const rates = values.rates.split(',').map((rate) => (rate === 'free' ? 0 : numbers(rate)[0]!));
  const loads = rates.flatMap((rate) => numbers(values.videos).map((videos) => ({ rate, videos })));
  const runs: object[] = [];
  for (const { rate, videos } of loads) {
    const taken: Record<(typeof WHERE)[number], ReadingRun[]> = { main: [], thread: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const where of WHERE) {
        taken[where].push(await answerOf<ReadingRun>(SCRIPT, [where, String(videos), String(rate), values.seconds]));
      }
    }
    for (const where of WHERE) {
      const figures = { where, videos, rate, ...readingFigures(taken[where]) };
      console.error(figures);
      runs.push(figures);
    }
  }
  return { machine: thisMachine(), runs };
}

/** The medians of some runs, by frame where that is what they are about. */
function readingFigures(runs: readonly ReadingRun[]): object {
  const of = (figure: (run: ReadingRun) => number): number => rounded(median(runs.map(figure)));
  return {
    framesPerSecond: of(({ frames, wallMs }) => (frames * 1000) / wallMs),
    mainMsPerFrame: of(({ mainMs, frames }) => mainMs / frames),
    processMsPerFrame: of(({ processMs, frames }) => processMs / frames),
    ffmpegMsPerFrame: of(({ ffmpegMs, frames }) => ffmpegMs / frames),
    delayP99Ms: of(({ delayP99Ms }) => delayP99Ms),
    delayMaxMs: of(({ delayMaxMs }) => delayMaxMs),
    residentMiB: of(({ residentMiB }) => residentMiB),
    openMainMs: of(({ openMainMs }) => openMainMs),
    openProcessMs: of(({ openProcessMs }) => openProcessMs),
  };
}
