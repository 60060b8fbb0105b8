import type { WireFailure } from './wire-failure.ts';

/** One call that a thread answers. */
export interface Method {
  readonly request: unknown;
  readonly response: unknown;
}

/** The calls of a thread by name; an interface with one `Method` per property. */
export type Methods<M> = { readonly [K in keyof M]: Method };

/** From the owner of the thread. Messages of one port arrive in order. */
export type ThreadRequest =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly request: unknown }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'close' };

/** From the thread, which ends every call with one of the last three, when it has no more to do with it. */
export type ThreadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-ready'; readonly failure: WireFailure }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: WireFailure }
  /** What came of a call that was aborted. */
  | { readonly kind: 'dropped'; readonly id: number };
