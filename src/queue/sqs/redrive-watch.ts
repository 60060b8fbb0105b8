import type { Clock } from '../../time/clock.ts';
import type { QueueAttributes } from './queue-attributes.ts';

type Redrive = Pick<QueueAttributes, 'redrive'>;

export interface RedriveWatchOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly read: (signal: AbortSignal) => Promise<Redrive>;
  /** Told when the policy cannot be read; what was known before holds until it can. */
  readonly onError: (error: unknown) => void;
}

export interface RedriveWatch extends Disposable {
  /** Of the queue's policy as it was last read; null without one. */
  readonly maxReceives: number | null;
}

const READ_TIMEOUT_MS = 10_000;

/**
 * Follows how many receives a queue allows. A policy is changed while workers run, and one that believes in a later last receive than
 * the queue lets a message be moved away without a reason.
 */
export function watchRedrive(first: Redrive, { clock, intervalMs, read, onError }: RedriveWatchOptions): RedriveWatch {
  const stop = new AbortController();
  let { redrive } = first;
  let cancel = (): void => {};
  const again = async (): Promise<void> => {
    try {
      redrive = (await read(AbortSignal.any([stop.signal, AbortSignal.timeout(READ_TIMEOUT_MS)]))).redrive;
    } catch (error) {
      if (!stop.signal.aborted) onError(error);
    }
    if (!stop.signal.aborted) later();
  };
  const later = (): void => {
    cancel = clock.after(intervalMs, () => void again());
  };
  later();
  return {
    get maxReceives() {
      return redrive?.maxReceiveCount ?? null;
    },
    [Symbol.dispose]() {
      stop.abort();
      cancel();
    },
  };
}
