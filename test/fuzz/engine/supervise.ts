import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Fault } from './judge.ts';
import { SharedInput } from './shared-input.ts';
import type { Figures, ThreadData, ThreadMessage } from './thread.ts';

/** A million bytes are judged in less, also on a machine that does much else. */
const HANG_MS = 30_000;
const LOOK_MS = 250;
/** What is not found within so many hangs and deaths of a thread is not found by going on. */
const MAX_LOST = 3;
const HEAP_MB = 1_024;

export interface Plan {
  readonly target: string;
  readonly maxBytes: number;
  /** Where inputs that reached new code are kept. */
  readonly folder: string;
  readonly seed: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly onFind: (input: Buffer, fault: Fault) => void;
  readonly hangMs?: number;
}

/** Fuzzes one target in a thread of its own, which is ended where an input holds it up; ends early by the signal. */
export async function supervise(plan: Plan): Promise<Figures> {
  const end = performance.now() + plan.seconds * 1000;
  let total: Figures = { runs: 0, seconds: 0, blocks: 0, seedBlocks: 0, corpus: 0 };
  for (let lost = 0; lost < MAX_LOST && !plan.signal.aborted; lost++) {
    const seconds = (end - performance.now()) / 1000;
    if (seconds <= 0) break;
    const { figures, isLost } = await runThread({ ...plan, seconds, seed: plan.seed + lost });
    total = {
      ...figures,
      runs: total.runs + figures.runs,
      seconds: total.seconds + figures.seconds,
      seedBlocks: lost === 0 ? figures.seedBlocks : total.seedBlocks,
    };
    if (!isLost) break;
  }
  return total;
}

async function runThread(plan: Plan): Promise<{ readonly figures: Figures; readonly isLost: boolean }> {
  const shared = new SharedInput(plan.maxBytes);
  const workerData: ThreadData = { ...plain(plan), shared: shared.buffer };
  const thread = new Worker(new URL('thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  let figures: Figures = { runs: 0, seconds: 0, blocks: 0, seedBlocks: 0, corpus: 0 };
  const state: { death: Error | null; isOver: boolean } = { death: null, isOver: false };
  thread.on('message', (message: ThreadMessage) => {
    if (message.kind === 'find') plan.onFind(Buffer.from(message.input), message.fault);
    else figures = message.figures;
  });
  thread.on('error', (error: unknown) => {
    state.death = error instanceof Error ? error : new Error(String(error));
  });
  const over = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      state.isOver = true;
      resolve();
    });
  });
  const isHung = await watch(shared, plan, over, () => state.isOver);
  if (isHung) {
    const text = `no end within ${((plan.hangMs ?? HANG_MS) / 1000).toFixed(0)} s`;
    plan.onFind(shared.input, { kind: 'hang', signature: 'hang', text });
    await thread.terminate();
  } else if (state.death !== null) {
    // Nothing but memory that is used up ends it from within a target.
    if (!isOutOfMemory(state.death)) throw state.death;
    plan.onFind(shared.input, { kind: 'death', signature: 'death', text: `more than ${HEAP_MB} MiB are needed` });
  }
  return { figures, isLost: isHung || state.death !== null };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function plain({ target, seed, seconds, folder }: Plan): Omit<ThreadData, 'shared'> {
  return { target, seed, seconds, folder };
}

/** True once the thread is at the same input for too long. */
async function watch(shared: SharedInput, plan: Plan, over: Promise<void>, isOver: () => boolean): Promise<boolean> {
  const hangMs = plan.hangMs ?? HANG_MS;
  let [steps, since] = [-1, performance.now()];
  while (!isOver()) {
    await Promise.race([over, sleep(LOOK_MS)]);
    if (plan.signal.aborted) shared.stop();
    if (shared.steps !== steps) [steps, since] = [shared.steps, performance.now()];
    else if (performance.now() - since > hangMs) return !isOver();
  }
  return false;
}
