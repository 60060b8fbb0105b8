import type { Target } from '../../../fuzz/engine/target.ts';

/** Never ends on an input with a zero in it. */
export const target: Target = {
  covers: ['planted/endless.ts'],
  maxBytes: 64,
  form: 'bytes',
  words: ['\0'],
  check: (input) => {
    while (input.includes(0)) input.fill(0);
  },
};
