import { describe, expect, test } from '@jest/globals';
import { buildVocabulary, toByteLevel, wordsOf } from '../../../models/demo-pack/tokenizer.ts';

describe('buildVocabulary', () => {
  test('makes every listed word one token without touching the earlier ones', () => {
    const { ids, merges } = buildVocabulary(['ing', 'ting', 'sit', 'string']);
    expect(['ing', 'ting', 'sit', 'string'].every((word) => ids.has(word))).toBe(true);
    expect(merges.slice(0, 3)).toEqual([
      ['i', 'n'],
      ['in', 'g'],
      ['t', 'ing'],
    ]);
  });

  test('gives all bytes and the special tokens an id', () => {
    const { ids } = buildVocabulary([]);
    expect(ids.size).toBe(256 + 4);
    expect(new Set(ids.values()).size).toBe(ids.size);
  });
});

test('bytes outside printable ASCII get characters of their own', () => {
  expect(toByteLevel(' a\n')).toBe('ĠaĊ');
  expect(toByteLevel('é')).toBe('Ã©');
});

test('words are split as Qwen2 splits them', () => {
  expect(wordsOf("What's in 42?\n")).toEqual(['What', "'s", 'Ġin', 'Ġ', '4', '2', '?Ċ']);
});
