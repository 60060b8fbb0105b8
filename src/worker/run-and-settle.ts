import type { Disposition, Settled } from '../failure/disposition.ts';
import type { Failure } from '../failure/failure.ts';
import type { DependencyWatch } from './dependency-watch.ts';
import type { MessageRun } from './message-run.ts';
import { settleMessage, type SettleDeps } from './settle-message.ts';
import type { Slots } from './slots.ts';

export interface RunAndSettleDeps {
  readonly settle: SettleDeps;
  readonly slots: Slots;
  readonly dependencies: DependencyWatch;
  /** The work of a message is over and its lease still ours: told before the message is settled. */
  readonly onEnded: (disposition: Disposition) => void;
  /** This host cannot go on, whatever became of the lease. */
  readonly onHalt: (failure: Failure) => void;
}

/** Runs a message and settles it as the run decided. Never rejects. True: the next message of its group may follow. */
export async function runAndSettle(deps: RunAndSettleDeps, run: MessageRun): Promise<boolean> {
  const disposition = await run.run();
  if (disposition.kind === 'halt') deps.onHalt(disposition.failure);
  // A report of success under a lost lease stays unsaid: whoever has the message now decides.
  if (run.lease.state === 'held') {
    deps.dependencies.learn(disposition);
    deps.onEnded(disposition);
  }
  const settled = await settle(deps, run, disposition);
  const { messageId } = run.message;
  for (const { job, ...ended } of run.ended) {
    deps.settle.events.emit('job:settled', { messageId, key: job.key, ...ended, settled });
  }
  return disposition.kind === 'ack' || disposition.kind === 'reject';
}

async function settle(deps: RunAndSettleDeps, run: MessageRun, disposition: Disposition): Promise<Settled> {
  const work = (): Promise<Settled> => settleMessage(deps.settle, run.message, run.lease, disposition);
  return disposition.kind === 'ack' ? await deps.slots.withoutSlot(work) : await work();
}
