import { parseArgs } from 'node:util';
import {
  comparedActions,
  middleCost,
  pairRatios,
  requireSameDetections,
  wallOfModelsAndDecoder,
} from './chain-comparison.ts';
import { median, rounded } from './figures.ts';
import { thisMachine } from './machine.ts';
import { runPlainChain, whyNoPlainChain } from './plain-chain.ts';
import type { ProcessCost } from './process-cost.ts';
import { loopOf, streetFootage, type StreetFootage } from './street-footage.ts';
import { analyzeAsProcess } from './worker-run.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '3' },
  'long-rounds': { type: 'string', default: '2' },
  fps: { type: 'string', default: '1.5' },
  project: { type: 'string' },
} as const;

const LONG_SECONDS = 600;
const MODES = { perFrame: 'per-frame', default: undefined } as const;
type Mode = keyof typeof MODES;

/** What must hold, as ratios to the plain chain; the last one is of the worker alone. */
const AIMS = {
  clip: { perFrame: { wall: 0.65, cpu: 0.75 } },
  tenMinutes: { default: { wall: 0.35 } },
  wallOfModelsAndDecoder: 1.1,
};

interface Plan extends StreetFootage {
  readonly framesPerSecond: number;
  readonly project: string | undefined;
}

/**
 * The worker's built `analyze` against the same chain as a plain script in Python, whole processes in turns on the street clip and on ten
 * minutes of it. No figure counts before both have found the same boxes in the same frames. `--project` measures another copy of the
 * worker; `--rounds` and `--long-rounds` say how many pairs of each there are.
 */
export async function benchChain(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  const street = await streetFootage();
  if (street === null) return { chain: 'skipped: the street pack and its clip are not here; set STREET_DIR' };
  const absent = await whyNoPlainChain((line) => console.error(line));
  if (absent !== null) return { chain: absent };
  const plan = { ...street, framesPerSecond: Number(values.fps), project: values.project };
  const clip = await compare(plan, street.clip, Number(values.rounds));
  const long = Number(values['long-rounds']);
  return {
    machine: thisMachine(),
    framesPerSecond: plan.framesPerSecond,
    aims: AIMS,
    clip,
    tenMinutes: long > 0 ? await compare(plan, await loopOf(street.clip, LONG_SECONDS), long) : 'left out',
  };
}

async function compare(plan: Plan, video: string, rounds: number): Promise<object> {
  const costs: Record<Mode | 'plain', ProcessCost[]> = { plain: [], perFrame: [], default: [] };
  const shares: Record<Mode, number[]> = { perFrame: [], default: [] };
  const inside: Record<Mode, number[]> = { perFrame: [], default: [] };
  const actions: Partial<Record<Mode, object>> = {};
  let frames = 0;
  for (let round = 0; round < rounds; round++) {
    const { cost, analysis: plain } = await runPlainChain(plan, video, plan.framesPerSecond);
    costs.plain.push(cost);
    say('plain', cost);
    frames = plain.frames.length;
    for (const mode of round % 2 === 0 ? (['perFrame', 'default'] as const) : (['default', 'perFrame'] as const)) {
      const run = await analyzeAsProcess(video, { ...plan, attributes: MODES[mode] });
      requireSameDetections(run.analysis, plain);
      costs[mode].push(run.cost);
      say(mode, run.cost);
      shares[mode].push(wallOfModelsAndDecoder(run.analysis.timings));
      inside[mode].push(run.analysis.timings.totalMs / 1000 / plain.seconds);
      actions[mode] = comparedActions(run.analysis, plain);
    }
  }
  const figures = (mode: Mode): object => ({
    ...middleCost(costs[mode]),
    actions: actions[mode],
    ofPlain: { ...pairRatios(costs[mode], costs.plain), wallWithoutStart: rounded(median(inside[mode])) },
    wallOfModelsAndDecoder: rounded(median(shares[mode])),
  });
  return {
    frames,
    rounds,
    plain: middleCost(costs.plain),
    perFrame: figures('perFrame'),
    default: figures('default'),
  };
}

function say(name: string, { cpuSeconds, wallSeconds, peakMiB }: ProcessCost): void {
  console.error(
    `${name}: ${rounded(cpuSeconds)} s of the processor, ${rounded(wallSeconds)} s, ${peakMiB.toFixed(0)} MiB`,
  );
}
