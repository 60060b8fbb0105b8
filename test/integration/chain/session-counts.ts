import type { ThreadOptions } from '../../../src/chain/threads.ts';

/** Where a counting thread keeps its numbers, which are there when it is gone. */
export const SESSION_COUNTS = ['opened', 'released'] as const;

export interface CountingOptions extends ThreadOptions {
  /** Which of the model threads it is. */
  readonly entry: 'vision-thread' | 'language-thread';
  /** A number for each of `SESSION_COUNTS`. */
  readonly counts: Int32Array<SharedArrayBuffer>;
}
