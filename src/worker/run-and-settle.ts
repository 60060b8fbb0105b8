import { dependencyOf, isAway } from '../failure/dependency.ts';
import type { Disposition, Settled } from '../failure/disposition.ts';
import type { Failure } from '../failure/failure.ts';
import type { DependencyWatch } from './dependency-watch.ts';
import type { MessageRun } from './message-run.ts';
import { leaveReason, settleMessage } from './settle-message.ts';
import type { Slot } from './slots.ts';
import { WaitPlan, type PlannedWait } from './wait-plan.ts';
import { waitFacts, waitUnderLease, type WaitDeps } from './wait-under-lease.ts';

export interface RunAndSettleDeps extends WaitDeps {
  readonly dependencies: DependencyWatch;
  /** A run of a message is over and its lease still ours: told before the message is settled. `wasAborted`: by the worker. */
  readonly onEnded: (disposition: Disposition, wasAborted: boolean) => void;
  /** This host cannot go on, whatever became of the lease. */
  readonly onHalt: (failure: Failure) => void;
}

/** Runs a message, again after each wait, and settles it as the last run decided. Never rejects. */
export async function runAndSettle(deps: RunAndSettleDeps, run: MessageRun, slot: Slot): Promise<void> {
  const plan = new WaitPlan();
  for (;;) {
    const { disposition, next } = await runOnce(deps, run, plan);
    if ('kind' in next) {
      // The work is done: what is left may take its time, and the next message is asked for meanwhile.
      if (next.kind === 'ack' || next.kind === 'reject') slot.deleting();
      // What the engine made of a wait no run has written down.
      const isOurs = next.kind === 'reject' && next !== disposition;
      const settled = isOurs
        ? await leaveReason(deps.settle, run, next.failure)
        : await settleMessage(deps.settle, run, next);
      tell(deps, run, settled, next);
      return;
    }
    tell(deps, run, 'kept');
    if ((await waitUnderLease(deps, run, slot, next)) !== 'ready') return;
  }
}

interface RunEnd {
  readonly disposition: Disposition;
  /** What follows from it. */
  readonly next: PlannedWait | Disposition;
}

async function runOnce(deps: RunAndSettleDeps, run: MessageRun, plan: WaitPlan): Promise<RunEnd> {
  const disposition = await run.run();
  if (disposition.kind === 'halt') deps.onHalt(disposition.failure);
  // A report of success under a lost lease stays unsaid: whoever has the message now decides.
  if (run.lease.state !== 'held') return { disposition, next: disposition };
  const doubt = deps.dependencies.learn(disposition, () => run.objects);
  if (doubt !== null) deps.onHalt(doubt);
  if (disposition.kind === 'retry') countAlone(run, disposition.failure, deps.dependencies);
  const next = plan.after(disposition, waitFacts(run, deps));
  if (!('kind' in next) && next.why === 'retry') run.failedHere += 1;
  deps.onEnded('kind' in next ? next : disposition, run.wasAborted);
  return { disposition, next };
}

/** A circuit that is closed says that others got an answer. */
function countAlone(run: MessageRun, failure: Failure, { away }: DependencyWatch): void {
  if (!isAway(failure)) return;
  const isAlone = !away.some((dependency) => dependency === dependencyOf(failure));
  run.failedAlone = isAlone ? run.failedAlone + 1 : 0;
}

/** `instead`: what was done, where that is not what the last job said. */
function tell(
  { settle: { events } }: RunAndSettleDeps,
  run: MessageRun,
  settled: Settled,
  instead?: Disposition,
): void {
  const { messageId } = run.message;
  for (const { job, disposition, ...ended } of run.ended) {
    const done = disposition.kind === 'wait' && instead !== undefined ? instead : disposition;
    events.emit('job:settled', { messageId, key: job.key, ...ended, disposition: done, settled });
  }
}
