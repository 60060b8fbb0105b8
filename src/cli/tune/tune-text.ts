import type { ExecutionPlan } from '../execution-plan.ts';
import type { Measurement, SearchResult, SearchStep, Setting, Trial } from './search.ts';

/** The variable of each setting, in the order in which they are printed. */
export const VARIABLES: Readonly<Record<Setting, string>> = {
  pipelines: 'PIPELINES',
  threads: 'CPU_THREADS',
  detectionBatch: 'DETECTION_BATCH_SIZE',
  peopleBatch: 'PEOPLE_BATCH_SIZE',
  languageBatch: 'LANGUAGE_BATCH_SIZE',
  decoderThreads: 'DECODER_THREADS',
  framesInFlight: 'FRAMES_IN_FLIGHT',
};

/** The line of a step; null for one that says nothing new. */
export function stepText(step: SearchStep, start: ExecutionPlan): string {
  const name = planName(step.plan, start);
  switch (step.kind) {
    case 'measured':
      return `  ${name}: ${figures(step.measurement).join(', ')}`;
    case 'refused':
      return `  ${name}: does not work here: ${step.problem}`;
    case 'better':
      return `  -> ${name}`;
  }
}

/** The table of what was tried, what was gained, and the lines for `.env`: those that differ from the start. */
export function resultText(result: SearchResult, start: ExecutionPlan): string {
  const { best, trials, noise, isComplete } = result;
  const rows = trials.map((trial) => [planName(trial.plan, start), ...trialCells(trial)]);
  const gain = gained(result, start);
  const lines = [
    ...table(['settings', 'frames/s', 'processor ms/frame', 'peak MiB', 'runs'], rows),
    '',
    `two runs of one plan differ by ${percent(noise / 1.5)} here: differences under ${percent(noise)} keep the simpler settings`,
  ];
  if (!isComplete) lines.push('not everything was tried: --seconds gives the search more time');
  const assignments = environmentLines(best, start);
  if (gain === null || assignments.length === 0) {
    return [...lines, '', 'the settings in force are the best that were found: nothing to set', ''].join('\n');
  }
  const text = `best: ${signed(gain.speed)} frames/s, ${signed(gain.cpu)} of the processor, ${signed(gain.memory)} of the memory, against the settings in force`;
  return [...lines, '', text, '', ...assignments, ''].join('\n');
}

/** `NAME=value` of every setting of the plan that differs from the start. */
export function environmentLines(plan: ExecutionPlan, start: ExecutionPlan): readonly string[] {
  return settingsThatDiffer(plan, start).map((setting) => `${VARIABLES[setting]}=${plan[setting]}`);
}

/** What the best plan changes, as shares of what the start has: by the last comparison, else by all runs; null where either has none. */
export function gained(
  { best, trials, comparison }: SearchResult,
  start: ExecutionPlan,
): { readonly speed: number; readonly cpu: number; readonly memory: number } | null {
  const runsOf = (plan: ExecutionPlan): readonly Measurement[] =>
    trials.find((trial) => settingsThatDiffer(trial.plan, plan).length === 0)?.runs ?? [];
  const before = medianOf(comparison?.before ?? runsOf(start));
  const after = medianOf(comparison?.after ?? runsOf(best));
  if (before === null || after === null) return null;
  return {
    speed: after.framesPerSecond / before.framesPerSecond - 1,
    cpu: after.cpuMsPerFrame / before.cpuMsPerFrame - 1,
    memory: after.peakMib / before.peakMib - 1,
  };
}

function planName(plan: ExecutionPlan, start: ExecutionPlan): string {
  return environmentLines(plan, start).join(' ') || 'settings in force';
}

function settingsThatDiffer(plan: ExecutionPlan, start: ExecutionPlan): readonly Setting[] {
  return (Object.keys(VARIABLES) as Setting[]).filter((setting) => plan[setting] !== start[setting]);
}

function trialCells({ runs, problem }: Trial): readonly string[] {
  const median = medianOf(runs);
  if (problem !== null || median === null) return ['does not work here', '', '', String(runs.length)];
  const { framesPerSecond, cpuMsPerFrame, peakMib } = median;
  return [framesPerSecond.toFixed(1), cpuMsPerFrame.toFixed(1), peakMib.toFixed(0), String(runs.length)];
}

function figures({ framesPerSecond, cpuMsPerFrame, peakMib }: Measurement): readonly string[] {
  return [
    `${framesPerSecond.toFixed(1)} frames/s`,
    `${cpuMsPerFrame.toFixed(1)} ms of the processor per frame`,
    `at most ${peakMib.toFixed(0)} MiB`,
  ];
}

function medianOf(runs: readonly Measurement[]): Measurement | null {
  if (runs.length === 0) return null;
  const middle = (read: (run: Measurement) => number): number => {
    const sorted = runs.map(read).toSorted((a, b) => a - b);
    const [low = 0, high = low] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
    return (low + high) / 2;
  };
  return {
    framesPerSecond: middle((run) => run.framesPerSecond),
    cpuMsPerFrame: middle((run) => run.cpuMsPerFrame),
    peakMib: middle((run) => run.peakMib),
  };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) => (column === 0 ? (cells[0] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width)))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function signed(share: number): string {
  return `${share < 0 ? '' : '+'}${(share * 100).toFixed(0)} %`;
}
