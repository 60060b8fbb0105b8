/** How busy the GPU is while something else is measured, by nvidia-smi five times a second. */

import { spawn } from 'node:child_process';
import { rounded } from '../../figures.ts';

export interface GpuUse {
  readonly samples: number;
  /** Share of time in which a kernel runs. */
  readonly busyPercent: number;
  /** The most. */
  readonly memoryMib: number;
  readonly watts: number;
  readonly smMhz: number;
}

const FIELDS = ['utilization.gpu', 'memory.used', 'power.draw', 'clocks.sm'] as const;
type Sample = readonly [busyPercent: number, memoryMib: number, watts: number, smMhz: number];

/** Watches until the returned function is called, which gives means; null where nvidia-smi said nothing. */
export function watchGpu(): () => GpuUse | null {
  const query = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits', '-lms', '200'];
  const child = spawn('nvidia-smi', query, { stdio: ['ignore', 'pipe', 'ignore'] });
  // Without nvidia-smi there is nothing to tell, which is no reason to measure nothing.
  child.on('error', () => {});
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  return () => {
    child.kill();
    return meanUse(text);
  };
}

function meanUse(text: string): GpuUse | null {
  const lines = text.trim().split('\n');
  // The first sample tells of the time before.
  const samples = lines.slice(1).flatMap((line): readonly Sample[] => {
    const [busy, memory, watts, clock, ...more] = line.split(',').map(Number);
    if (busy === undefined || memory === undefined || watts === undefined || clock === undefined) return [];
    return more.length === 0 && [busy, memory, watts, clock].every(Number.isFinite)
      ? [[busy, memory, watts, clock]]
      : [];
  });
  if (samples.length === 0) return null;
  const mean = (field: 0 | 2 | 3): number =>
    rounded(samples.reduce((sum, sample) => sum + sample[field], 0) / samples.length);
  return {
    samples: samples.length,
    busyPercent: mean(0),
    memoryMib: Math.max(...samples.map((sample) => sample[1])),
    watts: mean(2),
    smMhz: mean(3),
  };
}
