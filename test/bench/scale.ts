import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rounded } from './figures.ts';
import { answerOf } from './forked.ts';
import { thisMachine } from './machine.ts';
import { numbers } from './memory.ts';
import type { ScaleRun } from './scale-run.ts';
import { streetFootage } from './street-footage.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  videos: { type: 'string', default: '1,2,3,4,6,8' },
} as const;

interface ScaleFigures {
  readonly framesPerSecond: number;
  /** Milliseconds of the processor for a sampled frame, all in all and of its decoder. */
  readonly cpuMsPerFrame: number;
  readonly decoderMsPerFrame: number;
  readonly coresBusy: number;
  readonly peakMiB: number;
}

/** Several copies of the street clip in flight on one worker's chain on the CPU, each number in a process of its own. */
export async function benchScale(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  const street = await streetFootage();
  if (street === null) return { scale: 'skipped: the street pack and its clip are not here; set STREET_DIR' };
  const videos: Record<string, ScaleFigures> = {};
  for (const count of numbers(values.videos)) {
    const script = join(import.meta.dirname, 'scale-run.ts');
    const figures = scaleFigures(await answerOf<ScaleRun>(script, [street.pack, street.clip, String(count)]));
    console.error(`${count} in flight:`, figures);
    videos[String(count)] = figures;
  }
  return {
    machine: thisMachine(),
    videos,
  };
}

/** What a run says of each sampled frame. */
export function scaleFigures({ frames, wallMs, cpuMs, decoderCpuMs, peakMiB }: ScaleRun): ScaleFigures {
  return {
    framesPerSecond: rounded((frames * 1000) / wallMs),
    cpuMsPerFrame: rounded(cpuMs / frames),
    decoderMsPerFrame: rounded(decoderCpuMs / frames),
    coresBusy: rounded(cpuMs / wallMs),
    peakMiB: Math.round(peakMiB),
  };
}
