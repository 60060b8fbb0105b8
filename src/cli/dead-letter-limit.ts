/** Most messages of one dead-letter queue that are shown: each is hidden from others while the rest is looked at. */
export const MOST_DEAD_LETTERS = 1_000;
