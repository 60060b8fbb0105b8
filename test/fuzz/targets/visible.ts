import { isDeepStrictEqual } from 'node:util';
import { visible, visibleJson } from '../../../src/text/visible.ts';
import { must, type Target } from '../engine/target.ts';

/** What a terminal acts on. */
const ACTED_ON = /\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** A text from outside on its way to a terminal, bare and in JSON. */
export const target: Target = {
  covers: ['text/visible.ts'],
  maxBytes: 1 << 20,
  form: 'text',
  words: ['\u001b[2J', '\u009b', '\u202e', '\u2066', '\u2028', '\u061c', '\r', '\n', '\t', '\u007f', '\\u001b'],
  allowance: { fixedMs: 40, msPerKib: 0.5 },
  check: (input) => {
    const text = input.toString();
    const seen = visible(text);
    must(!ACTED_ON.test(seen), 'a terminal is steered');
    must(visible(seen) === seen, 'what was made visible is changed again');
    const json = visibleJson(JSON.stringify({ text }));
    must(!ACTED_ON.test(json), 'a terminal is steered by JSON');
    must(isDeepStrictEqual(JSON.parse(json), { text }), 'JSON says something else');
  },
};
