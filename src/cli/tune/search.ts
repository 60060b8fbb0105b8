import type { ExecutionPlan } from '../execution-plan.ts';

/** What one run with a plan came to. */
export interface Measurement {
  readonly framesPerSecond: number;
  /** Of all threads and of the decoders. */
  readonly cpuMsPerFrame: number;
  /** Highest resident set of this process while it ran. */
  readonly peakMib: number;
}

export type Setting = keyof ExecutionPlan;

/** A setting and its values, from the simplest on: those that take less memory, fewer threads or fewer sessions come first. */
export interface Axis {
  readonly setting: Setting;
  readonly values: readonly number[];
}

/** A plan that was tried: all its runs, or why it does not work here. */
export interface Trial {
  readonly plan: ExecutionPlan;
  readonly runs: readonly Measurement[];
  readonly problem: string | null;
}

/** What the search tells while it goes on. */
export type SearchStep =
  | { readonly kind: 'measured'; readonly plan: ExecutionPlan; readonly measurement: Measurement }
  | { readonly kind: 'refused'; readonly plan: ExecutionPlan; readonly problem: string }
  | { readonly kind: 'better'; readonly plan: ExecutionPlan };

export interface SearchOptions {
  readonly start: ExecutionPlan;
  readonly axes: readonly Axis[];
  /** Rejects where the plan does not work here. */
  readonly measure: (plan: ExecutionPlan) => Promise<Measurement>;
  /** Milliseconds that are left; the search begins nothing that would take longer. */
  readonly leftMs: () => number;
  /** Ends the search with what is known. */
  readonly signal: AbortSignal;
  readonly onStep: (step: SearchStep) => void;
}

export interface SearchResult {
  readonly best: ExecutionPlan;
  /** In the order in which they were first tried, the start first. */
  readonly trials: readonly Trial[];
  /** Runs of the start and of the best plan in turn, at the end; null where they are one, or the time did not suffice. */
  readonly comparison: { readonly before: readonly Measurement[]; readonly after: readonly Measurement[] } | null;
  /** Share of the speed by which two runs of one plan differ here. */
  readonly noise: number;
  /** False where time or patience ended before every setting was tried. */
  readonly isComplete: boolean;
}

const LEAST_NOISE = 0.03;
/** A host on which runs differ by more tells nothing that a larger margin would mend. */
const MOST_NOISE = 0.5;
/** What a simpler plan may lose: more would add up from setting to setting. */
const TOLERATED_LOSS = 0.02;
/** Runs of the last comparison, for which time is kept. */
const CONFIRMING = 4;
/** Runs that warm the files and the compiler, and are not counted. */
const WARMING = 2;
/** A plan is taken after so many pairs; one pair is enough to leave it. */
const PAIRS = 2;
const ROUNDS = 2;

/**
 * Improves one setting after the other, each in both directions as long as that brings something. A plan is only compared with the
 * best one in pairs of runs, in turn first and second, so that what changes on the host meanwhile strikes both. A difference within the
 * noise keeps the simpler of the two. Rejects only where the start itself cannot be measured.
 */
export async function searchPlan(options: SearchOptions): Promise<SearchResult> {
  const search = new Search(options);
  await search.begin();
  const isComplete = await search.climb();
  return search.result(isComplete);
}

/** Thrown within the search alone: time or patience is over. */
class Ended extends Error {}

class Search {
  readonly #options: SearchOptions;
  readonly #trials = new Map<string, { plan: ExecutionPlan; runs: Measurement[]; problem: string | null }>();
  /** Pairs of plans that were compared, so that no round repeats another. */
  readonly #compared = new Set<string>();
  #best: ExecutionPlan;
  #comparison: SearchResult['comparison'] = null;
  #noise = LEAST_NOISE;
  #longestMs = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#best = options.start;
  }

  /** How much two runs of the start differ is the noise. */
  async begin(): Promise<void> {
    const { start, signal } = this.#options;
    try {
      for (let run = 0; run < WARMING; run++) await this.#timed(start);
      const [first, second] = [await this.#run(start), await this.#run(start)];
      const difference = Math.abs(first.framesPerSecond / second.framesPerSecond - 1);
      this.#noise = Math.min(MOST_NOISE, Math.max(LEAST_NOISE, 1.5 * difference));
    } catch (error) {
      if (!(error instanceof Ended) && !signal.aborted) throw error;
    }
  }

  /** Whether every setting was tried. */
  async climb(): Promise<boolean> {
    const { axes, signal } = this.#options;
    const toTheEnd = async (work: () => Promise<void>): Promise<boolean> => {
      try {
        await work();
        return true;
      } catch (error) {
        if (error instanceof Ended || signal.aborted) return false;
        throw error;
      }
    };
    const isComplete = await toTheEnd(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const before = this.#best;
        for (const axis of axes) await this.#climbAxis(axis);
        if (this.#best === before) break;
      }
    });
    return (await toTheEnd(() => this.#confirm())) && isComplete;
  }

  result(isComplete: boolean): SearchResult {
    const trials = [...this.#trials.values()];
    return { best: this.#best, trials, comparison: this.#comparison, noise: this.#noise, isComplete };
  }

  /** Steps were compared one by one: once more, all of them together. */
  async #confirm(): Promise<void> {
    const { start } = this.#options;
    if (this.#best === start) return;
    const found = this.#best;
    const before = [await this.#run(start)];
    const after = [await this.#run(found), await this.#run(found)];
    before.push(await this.#run(start));
    const ratio = (figure: (run: Measurement) => number): number =>
      meanOf(after.map(figure)) / meanOf(before.map(figure));
    const [speed, cost] = [ratio((run) => run.framesPerSecond), ratio((run) => run.cpuMsPerFrame)];
    this.#comparison = { before, after };
    if (speed >= 1 - TOLERATED_LOSS || (speed >= 1 - this.#noise && cost <= 1 - this.#noise)) return;
    this.#best = start;
    this.#comparison = null;
    this.#options.onStep({ kind: 'better', plan: start });
  }

  async #climbAxis({ setting, values }: Axis): Promise<void> {
    const from = this.#best[setting];
    const [simpler, others] = [values.filter((value) => value < from), values.filter((value) => value > from)];
    if (await this.#follow(setting, others, false)) return;
    await this.#follow(setting, simpler.reverse(), true);
  }

  /** Whether the first step was one. */
  async #follow(setting: Setting, values: readonly number[], isSimpler: boolean): Promise<boolean> {
    let moved = false;
    for (const value of values) {
      const plan = { ...this.#best, [setting]: value };
      if (!(await this.#isBetter(plan, isSimpler))) break;
      this.#best = plan;
      this.#options.onStep({ kind: 'better', plan });
      moved = true;
    }
    return moved;
  }

  async #isBetter(plan: ExecutionPlan, isSimpler: boolean): Promise<boolean> {
    const pair = [keyOf(this.#best), keyOf(plan)].toSorted().join(' ');
    if (this.#compared.has(pair) || (this.#trials.get(keyOf(plan))?.problem ?? null) !== null) return false;
    this.#compared.add(pair);
    const speeds: number[] = [];
    const costs: number[] = [];
    for (let turn = 0; turn < PAIRS; turn++) {
      const ran = await this.#pair(plan, turn % 2 === 0);
      if (ran === null) return false;
      speeds.push(ran.plan.framesPerSecond / ran.best.framesPerSecond);
      costs.push(ran.plan.cpuMsPerFrame / ran.best.cpuMsPerFrame);
      if (!this.#isPromising(speeds, costs, isSimpler)) return false;
    }
    return true;
  }

  /** Faster, or as fast for less of the processor; the simpler one also where nothing can be told. */
  #isPromising(speeds: readonly number[], costs: readonly number[], isSimpler: boolean): boolean {
    const [speed, cost] = [meanOf(speeds), meanOf(costs)];
    const noise = this.#noise;
    if (Math.min(...speeds) > 1 && speed >= 1 + noise) return true;
    if (speed < 1 - TOLERATED_LOSS) return false;
    return isSimpler ? cost <= 1 + TOLERATED_LOSS : Math.max(...costs) < 1 && cost <= 1 - noise;
  }

  /** Null where the plan does not work here. */
  async #pair(plan: ExecutionPlan, isFirst: boolean): Promise<{ plan: Measurement; best: Measurement } | null> {
    if (this.#options.leftMs() <= (2 + CONFIRMING) * this.#longestMs) throw new Ended();
    const early = isFirst ? await this.#tried(plan) : null;
    if (isFirst && early === null) return null;
    const best = await this.#run(this.#best);
    const found = early ?? (await this.#tried(plan));
    return found === null ? null : { plan: found, best };
  }

  async #tried(plan: ExecutionPlan): Promise<Measurement | null> {
    try {
      return await this.#run(plan);
    } catch (error) {
      if (error instanceof Ended || this.#options.signal.aborted) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      this.#trial(plan).problem = problem;
      this.#options.onStep({ kind: 'refused', plan, problem });
      return null;
    }
  }

  async #run(plan: ExecutionPlan): Promise<Measurement> {
    const measurement = await this.#timed(plan);
    this.#trial(plan).runs.push(measurement);
    this.#options.onStep({ kind: 'measured', plan, measurement });
    return measurement;
  }

  async #timed(plan: ExecutionPlan): Promise<Measurement> {
    const { measure, leftMs, signal } = this.#options;
    const before = leftMs();
    if (signal.aborted || before <= this.#longestMs) throw new Ended();
    const measurement = await measure(plan);
    this.#longestMs = Math.max(this.#longestMs, before - leftMs());
    return measurement;
  }

  #trial(plan: ExecutionPlan): { plan: ExecutionPlan; runs: Measurement[]; problem: string | null } {
    const key = keyOf(plan);
    const known = this.#trials.get(key) ?? { plan, runs: [], problem: null };
    this.#trials.set(key, known);
    return known;
  }
}

function keyOf(plan: ExecutionPlan): string {
  return JSON.stringify(plan);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
