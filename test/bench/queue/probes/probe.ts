import type { Arena } from '../arena.ts';
import type { Contender, ContenderOptions, RunningContender } from '../contender.ts';

export type Facts = Readonly<Record<string, number | boolean>>;

export interface Stage<Running> {
  readonly running: Running;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
}

export interface ProbeRun<Running extends RunningContender = RunningContender> extends Stage<Running> {
  readonly facts: Facts;
}

/** One situation that a consumer comes into; what it does there is written down as facts. */
export interface Probe {
  readonly id: string;
  readonly title: string;
  /** The facts of a consumer that does the right thing. */
  readonly right: Facts;
  run<Running extends RunningContender>(contender: Contender<Running>, arena: Arena): Promise<ProbeRun<Running>>;
}

/** Starts a contender on a queue of its own that holds the messages already. */
export async function takeStage<Running extends RunningContender>(
  contender: Contender<Running>,
  arena: Arena,
  keys: readonly string[],
  options: Pick<ContenderOptions, 'handle'> & Partial<ContenderOptions>,
): Promise<Stage<Running>> {
  const queueUrl = await arena.createQueue();
  const deadLetterUrl = await arena.createQueue();
  await arena.send(queueUrl, keys);
  const defaults = { slots: 1, leaseSeconds: 2, waitSeconds: 1, jobLimitMs: null };
  return {
    queueUrl,
    deadLetterUrl,
    running: contender.start({ ...defaults, arena, queueUrl, deadLetterUrl, ...options }),
  };
}

/** Waits so long, or until the signal fires: for handlers that do as they are told. */
export async function untilAborted(ms: number, signal: AbortSignal | null): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Asks until it is so or the time is over; answers with what it was at the end. */
export async function eventually(is: () => Promise<boolean> | boolean, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await is()) return true;
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const pause = (ms: number): Promise<void> => untilAborted(ms, null);
