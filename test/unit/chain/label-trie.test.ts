import { expect, test } from '@jest/globals';
import { labelTrie } from '../../../src/chain/action/label-trie.ts';

test('labels of one token need no continuation', () => {
  expect(labelTrie([[1], [2]])).toEqual({ labels: [[1], [2]], paths: [], places: [[], []] });
});

test('labels that begin alike share their path, and a path that begins another one is not run twice', () => {
  const trie = labelTrie([
    [1, 2, 3],
    [1, 2, 4],
    [1, 5],
    [6, 7],
  ]);
  expect(trie.paths).toEqual([[1, 2], [6]]);
  expect(trie.places).toEqual([
    [
      { path: 0, position: 0 },
      { path: 0, position: 1 },
    ],
    [
      { path: 0, position: 0 },
      { path: 0, position: 1 },
    ],
    [{ path: 0, position: 0 }],
    [{ path: 1, position: 0 }],
  ]);
});

test('a label that begins another one is read from the same path', () => {
  const trie = labelTrie([
    [1, 2],
    [1, 2, 3],
  ]);
  expect(trie.paths).toEqual([[1, 2]]);
  expect(trie.places[0]).toEqual([{ path: 0, position: 0 }]);
});
