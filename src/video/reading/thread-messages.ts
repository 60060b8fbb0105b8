/** Memory of one frame, lent to the thread that reads; the number names it in what the thread says. */
export interface LentMemory {
  readonly number: number;
  readonly memory: SharedArrayBuffer;
}

/** What a thread is started with. */
export interface ReadingOrder {
  /** Of the socket that it connects to. */
  readonly path: string;
  readonly frameBytes: number;
  /** At least two: the thread always keeps one to read into. */
  readonly lent: readonly LentMemory[];
  /** For whoever looks: `PROGRESS_INTS` numbers of 32 bits. */
  readonly progress: SharedArrayBuffer;
}

/** Places in the progress: bytes of the frame that has begun, and how often something was read. */
export const FILLED = 0;
export const READS = 1;
export const PROGRESS_INTS = 2;

/** What a thread says, in order; whatever else it gets from its owner is `LentMemory`. */
export type ReadingMessage =
  | { readonly kind: 'connected' }
  /** The socket could not be opened. */
  | { readonly kind: 'refused'; readonly errno: string; readonly message: string }
  /** The memory of this number holds a whole frame, and is not written to any more. */
  | { readonly kind: 'frame'; readonly number: number }
  /** All bytes have come; the thread ends. */
  | { readonly kind: 'closed' };
