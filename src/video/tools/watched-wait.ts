import { Failure, type FailureOptions } from '../../failure/failure.ts';
import { afterRunning, type RunningTimer } from '../../time/after-running.ts';
import type { Clock } from '../../time/clock.ts';
import type { LimitedChild } from './child-process.ts';
import type { GroupUsage } from './group-usage.ts';

type Tool = Pick<LimitedChild, 'usage'>;

/** The child is looked at when this share of a wait is over: most waits end sooner and cost nothing. */
const FIRST_LOOK = 0.1;
/** Of one core, in the time that was waited: a child that got less was kept from working. */
const LEAST_CPU_SHARE = 0.1;

/**
 * A wait for a child that is over when this process has run for so long. It notes what CPU time the child used meanwhile, since a child
 * that was stopped, frozen, swapped out or waiting for a disk is as silent as one that a file keeps busy.
 */
export class WatchedWait {
  readonly #child: Tool;
  readonly #restMs: number;
  #timer: RunningTimer;
  #ranBeforeMs = 0;
  #first: Promise<GroupUsage | null> | null = null;

  constructor(child: Tool, ms: number, clock: Clock, onOver: () => void) {
    this.#child = child;
    this.#restMs = ms * (1 - FIRST_LOOK);
    this.#timer = afterRunning(clock, ms * FIRST_LOOK, () => {
      this.#ranBeforeMs = this.#timer.ranMs;
      this.#first = child.usage();
      this.#timer = afterRunning(clock, this.#restMs, onOver);
    });
  }

  /** How long it has lasted, pauses of this process left out. */
  get ranMs(): number {
    return this.#ranBeforeMs + this.#timer.ranMs;
  }

  cancel(): void {
    this.#timer.cancel();
  }

  /** Once it is over: what the child did in most of it. */
  async verdict(): Promise<Verdict> {
    const [before, now] = await Promise.all([this.#first, this.#child.usage()]);
    const cpuMs = before === null || now === null ? null : now.cpuMs - before.cpuMs;
    return judge(cpuMs, this.#restMs, now);
  }
}

interface Verdict {
  /** It had CPU time to work with and made nothing of it. */
  readonly isWorking: boolean;
  readonly cpuMs: number | null;
  readonly states: string;
}

/** What a child did from its start on, of which it was waited for so long. */
export async function verdictSinceStart(child: Tool, waitedMs: number): Promise<Verdict> {
  const now = await child.usage();
  return judge(now?.cpuMs ?? null, waitedMs, now);
}

function judge(cpuMs: number | null, ms: number, now: GroupUsage | null): Verdict {
  return { isWorking: cpuMs !== null && cpuMs >= ms * LEAST_CPU_SHARE, cpuMs, states: now?.states ?? '' };
}

/** The end of a tool that took too long: by the file where it worked all the time, by the host where it could not. */
export function tookTooLong(message: string, { isWorking, cpuMs, states }: Verdict, options: FailureOptions): Failure {
  const details = { ...options.details, cpuMs, processStates: states };
  if (isWorking) return new Failure('VIDEO_DECODE_TIMEOUT', message, { ...options, details });
  const why = 'it was hardly given any CPU time: stopped, frozen, swapped out, or waiting for a disk';
  return new Failure('DECODER_INTERRUPTED', `${message}, but ${why}`, { ...options, details });
}
