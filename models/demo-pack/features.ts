/** Width of the demo language model's residual stream. */
export const WIDTH = 128;

/** What the entries of the residual stream mean. Ranges begin at the given index. */
export const FEATURE = {
  /** 1 at every position. */
  one: 0,
  /** 1 at image positions. */
  image: 1,
  /** Of image positions: the logarithm of how much the patch counts for an action. */
  middle: 2,
  /** Of image positions: the number of heads in the patch. */
  heads: 3,
  /** Of image positions: share of the patch per action label (seven entries). */
  evidence: 4,
  /** 1 at the word that asks for a sentence. */
  sceneWord: 11,
  /** 1 at the word "assistant". */
  assistantWord: 12,
  /** Written by layer 0: 1 where a sentence is asked for. */
  sceneMode: 13,
  /** Written by layer 0: 1 where the previous token is "assistant". */
  afterAssistant: 14,
  /** Written by layer 1: mean evidence per action label (seven entries). */
  seen: 15,
  /** Written by layer 1: mean number of heads per patch. */
  seenHeads: 22,
  /** One entry per token that the decoder knows, 1 at that token. */
  current: 23,
  /** One entry per token that the decoder writes: its logit. Written by layer 1. */
  next: 75,
} as const;

export const MAX_CURRENT = FEATURE.next - FEATURE.current;
export const MAX_NEXT = WIDTH - FEATURE.next;
