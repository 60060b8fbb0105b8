import { must, type Target } from '../../../fuzz/engine/target.ts';

/** Breaks behind five steps, of which chance alone would make all at once in a million million tries. */
export const target: Target = {
  covers: ['planted/needle.ts'],
  maxBytes: 4_096,
  form: 'text',
  words: [],
  check: (input) => {
    if (input[0] !== 0x66) return;
    if (input[1] !== 0x75) return;
    if (input[2] !== 0x7a) return;
    if (input[3] !== 0x7a) return;
    must(input.length < 10, 'the needle');
  },
};
