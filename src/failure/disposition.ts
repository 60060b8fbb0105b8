import type { Failure, InterruptionKind } from './failure.ts';

/** What a message waits for under its own lease, without a slot. */
export type WaitReason =
  /** Another run works on its object, here or elsewhere. */
  | 'object'
  /** What it needs is away: the failure says what. */
  | 'dependency'
  /** The work folder has no room for its object. */
  | 'space'
  /** Its own failure to pass: its group must not overtake it. */
  | 'retry'
  /** An earlier message of its group. */
  | 'group'
  /** A slot: more came than there was room for, or a circuit opened meanwhile. */
  | 'slot';

/** What a job run returns; the engine carries it out in a separate step with its own error handling. */
export type Disposition =
  /** Delete the message. */
  | { readonly kind: 'ack'; readonly outcome: 'completed' | 'duplicate' | 'ignored' }
  /** Give the message back, visible again after the delay. */
  | { readonly kind: 'retry'; readonly afterSeconds: number; readonly failure: Failure }
  /**
   * Keep the message under its lease, without a slot, and run it again later. `afterSeconds`: when it is worth looking at the latest;
   * the engine looks sooner at first and where it knows of the end of what is waited for. `otherwise`: what it becomes when it has
   * waited for so long; null: it waits as long as it takes.
   */
  | {
      readonly kind: 'wait';
      readonly why: WaitReason;
      readonly afterSeconds: number;
      readonly detail: string;
      readonly otherwise: { readonly afterSeconds: number; readonly failure: Failure } | null;
    }
  /** Copy to the dead-letter queue with the reason, then delete. */
  | { readonly kind: 'reject'; readonly failure: Failure }
  /** Give the message back untouched and stop the worker. */
  | { readonly kind: 'halt'; readonly failure: Failure }
  /** Interrupted: give the message back at once where the lease still lives. No attempt of ours counts. */
  | { readonly kind: 'abandon'; readonly why: InterruptionKind };

/** What became of a message: `lost` with its lease, `left` to a lease that runs out because a call failed, `kept` under it. */
export type Settled = 'deleted' | 'remembered' | 'dead-lettered' | 'given-back' | 'left' | 'lost' | 'kept';
