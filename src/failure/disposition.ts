import type { Failure, InterruptionKind } from './failure.ts';

/** What a job run returns; the engine carries it out in a separate step with its own error handling. */
export type Disposition =
  /** Delete the message. */
  | { readonly kind: 'ack'; readonly outcome: 'completed' | 'duplicate' | 'ignored' }
  /** Give the message back, visible again after the delay. */
  | { readonly kind: 'retry'; readonly afterSeconds: number; readonly failure: Failure }
  /** Give a message back that another run is working on; not a failure. */
  | { readonly kind: 'defer'; readonly afterSeconds: number; readonly reason: string }
  /** Copy to the dead-letter queue with the reason, then delete. */
  | { readonly kind: 'reject'; readonly failure: Failure }
  /** Give the message back untouched and stop the worker. */
  | { readonly kind: 'halt'; readonly failure: Failure }
  /** Interrupted: give the message back at once where the lease still lives. Burns nothing. */
  | { readonly kind: 'abandon'; readonly why: InterruptionKind };

/** What became of a message: `lost` with its lease, `left` to a lease that runs out because a call failed. */
export type Settled = 'deleted' | 'remembered' | 'dead-lettered' | 'given-back' | 'left' | 'lost';
