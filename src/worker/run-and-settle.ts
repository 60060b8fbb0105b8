import { dependencyOf, isAway } from '../failure/dependency.ts';
import type { Disposition, Settled } from '../failure/disposition.ts';
import type { Failure } from '../failure/failure.ts';
import type { DependencyWatch } from './dependency-watch.ts';
import type { MessageRun } from './message-run.ts';
import { settleMessage } from './settle-message.ts';
import type { Slot } from './slots.ts';
import { WaitPlan, type PlannedWait } from './wait-plan.ts';
import { waitFacts, waitUnderLease, type WaitDeps } from './wait-under-lease.ts';

export interface RunAndSettleDeps extends WaitDeps {
  readonly dependencies: DependencyWatch;
  /** The work of a message is over and its lease still ours: told before the message is settled. */
  readonly onEnded: (disposition: Disposition) => void;
  /** This host cannot go on, whatever became of the lease. */
  readonly onHalt: (failure: Failure) => void;
}

/**
 * Runs a message, again after each wait, and settles it as the last run decided. Never rejects. `decided` is told whether the next
 * message of its group may follow, before the message can come again; not at all where its wait ended by being given back.
 */
export async function runAndSettle(
  deps: RunAndSettleDeps,
  run: MessageRun,
  slot: Slot,
  decided: (mayFollow: boolean) => void,
): Promise<void> {
  const plan = new WaitPlan();
  for (;;) {
    const next = await runOnce(deps, run, plan);
    if ('kind' in next) {
      const isEnd = next.kind === 'ack' || next.kind === 'reject';
      if (!isEnd) decided(false);
      if (next.kind === 'ack') slot.deleting();
      tell(deps, run, await settleMessage(deps.settle, run, next));
      if (isEnd) decided(true);
      return;
    }
    tell(deps, run, 'kept');
    if ((await waitUnderLease(deps, run, slot, next)) !== 'ready') return;
  }
}

async function runOnce(deps: RunAndSettleDeps, run: MessageRun, plan: WaitPlan): Promise<PlannedWait | Disposition> {
  const disposition = await run.run();
  if (disposition.kind === 'halt') deps.onHalt(disposition.failure);
  // A report of success under a lost lease stays unsaid: whoever has the message now decides.
  if (run.lease.state !== 'held') return disposition;
  const doubt = deps.dependencies.learn(disposition, run.objects);
  if (doubt !== null) deps.onHalt(doubt);
  if (disposition.kind === 'retry') countAlone(run, disposition.failure, deps.dependencies);
  const next = plan.after(disposition, waitFacts(run, deps));
  if (!('kind' in next) && next.why === 'retry') run.failedHere += 1;
  if ('kind' in next) deps.onEnded(next);
  return next;
}

/** A circuit that is closed says that others got an answer. */
function countAlone(run: MessageRun, failure: Failure, { away }: DependencyWatch): void {
  if (!isAway(failure)) return;
  const isAlone = !away.some((dependency) => dependency === dependencyOf(failure));
  run.failedAlone = isAlone ? run.failedAlone + 1 : 0;
}

function tell({ settle: { events } }: RunAndSettleDeps, run: MessageRun, settled: Settled): void {
  const { messageId } = run.message;
  for (const { job, ...ended } of run.ended) {
    events.emit('job:settled', { messageId, key: job.key, ...ended, settled });
  }
}
