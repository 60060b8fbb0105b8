import { causesOf } from './causes.ts';
import { toFailure } from './classify.ts';
import type { Disposition } from './disposition.ts';
import { Failure, Interruption } from './failure.ts';
import type { ReceiveFacts } from './receipt.ts';
import { isAway } from './dependency.ts';
import { retryDelaySeconds } from './retry-delay.ts';

/** What an error can lead to: every end of a job but a good one. */
type ErrorDisposition = Extract<Disposition, { kind: 'retry' | 'reject' | 'halt' | 'abandon' }>;

/**
 * What becomes of a message whose job has thrown. The reason of the job's signal outranks the error, which is most often but its echo:
 * an interruption gives the message back and burns nothing, and only a job that ran out of its time failed by it. Everything else is
 * decided by the class of the failure. At the last receive nothing is left to chance: what would come back is rejected with its reason,
 * since the queue would move it away without one.
 */
export function dispose(
  error: unknown,
  signal: AbortSignal,
  { receiveCount, isLastReceive, isLastTry = isLastReceive, isAlone = false }: ReceiveFacts,
  random: () => number = Math.random,
): ErrorDisposition {
  const interruption = interruptionOf(error, signal);
  if (interruption !== null && interruption.kind !== 'deadline') {
    // Under a lost lease the message is somebody else's.
    if (!isLastReceive || interruption.kind === 'lease-lost') return { kind: 'abandon', why: interruption.kind };
    return { kind: 'reject', failure: new Failure('INTERRUPTED', interruption.message, { cause: error }) };
  }
  const failure =
    interruption === null ? toFailure(error) : new Failure('JOB_DEADLINE', interruption.message, { cause: error });
  switch (failure.class) {
    case 'permanent':
      return { kind: 'reject', failure };
    case 'system':
      return { kind: 'halt', failure };
    case 'temporary':
      // What is away comes back: the message waits for it under its lease, also at its last receive.
      if (isLastTry && (isAlone || !isAway(failure))) return { kind: 'reject', failure };
      return { kind: 'retry', afterSeconds: retryDelaySeconds(failure, receiveCount, random), failure };
  }
}

function interruptionOf(error: unknown, signal: AbortSignal): Interruption | null {
  if (signal.aborted && signal.reason instanceof Interruption) return signal.reason;
  // Without a signal of the job: a thread that was closed while it had work, a lease that was found lost at the last moment.
  const decisive = causesOf(error).find((link) => link instanceof Failure || link instanceof Interruption);
  return decisive instanceof Interruption ? decisive : null;
}
