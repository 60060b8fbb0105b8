import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../chaos/random.ts';
import { minimise } from '../../fuzz/engine/minimise.ts';
import { mutate } from '../../fuzz/engine/mutate.ts';
import type { Target } from '../../fuzz/engine/target.ts';
import { judge } from '../../fuzz/engine/judge.ts';

/** Looks from each character to the end. */
const QUADRATIC: Target = {
  covers: [],
  maxBytes: 1 << 15,
  form: 'text',
  words: [],
  check: (input) => {
    /a*b$/.test(input.toString());
  },
};

describe('the fuzzer', () => {
  test('takes a time that grows faster than the input for a fault', () => {
    expect(judge(QUADRATIC, Buffer.alloc(1 << 8, 'a'))).toBeNull();
    expect(judge(QUADRATIC, Buffer.alloc(1 << 14, 'a'))?.kind).toBe('slow');
  });

  test('leaves out what a fault does not need', () => {
    const shortest = minimise(
      Buffer.from('some text with <b> in it and more'),
      (input) => input.includes('<b>'),
      10_000,
    );
    expect(shortest.toString()).toBe('<b>');
  });

  test('makes the same inputs of the same seed', () => {
    const inputs = (seed: number): string[] => {
      const source = {
        random: seededRandom(seed),
        target: { form: 'json', maxBytes: 1_000, words: ['word'] },
        other: () => Buffer.from('[1,{"a":"b"}]'),
      } as const;
      return Array.from({ length: 50 }, () => mutate(Buffer.from('{"a":[1,2],"b":"text"}'), source).toString('hex'));
    };
    expect(inputs(3)).toEqual(inputs(3));
    expect(inputs(3)).not.toEqual(inputs(4));
  });
});
