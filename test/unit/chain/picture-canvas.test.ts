import { expect, test } from '@jest/globals';
import { canvasFeeds } from '../../../src/chain/fastvlm/picture-canvas.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { flat } from '../vision/pictures.ts';

const SIZE = 4;
const AXES = ['columns', 'column_weights', 'lines', 'line_weights'] as const;
const pictures = [flat(4, 3, 10), flat(5, 5, 20), flat(2, 6, 30), flat(3, 3, 40)].map(wholeArea);

const noSquare = {
  square: () => {
    throw new Error('no picture is larger than the graph has taps for');
  },
};

type Feeds = ReturnType<ReturnType<typeof canvasFeeds>>;

/** Everything that the graph reads: the buffers are used again. */
const copied = (feeds: Feeds) =>
  Object.entries(feeds).map(([name, { dims, data }]) => ({ name, dims, data: [...(data as Uint8Array | Int32Array)] }));

/** The numbers of a row, at every tap. */
function rowOf({ data, dims }: Feeds['columns'], row: number): readonly number[] {
  const [taps = 0, rows = 0, size = 0] = dims;
  const numbers = data as Int32Array;
  return Array.from({ length: taps }, (_, tap) => [
    ...numbers.subarray((tap * rows + row) * size, (tap * rows + row + 1) * size),
  ]).flat();
}

test('rows beyond the pictures read nothing, though an earlier batch had pictures there', () => {
  const feeds = canvasFeeds(noSquare, SIZE);
  feeds(pictures, 4);
  const fewer = feeds(pictures.slice(0, 2), 4);
  for (const axis of AXES) {
    const beyond = [2, 3].flatMap((row) => rowOf(fewer[axis], row));
    expect(beyond).toEqual(beyond.map(() => 0));
  }
  // The two pictures are there.
  expect(rowOf(fewer.column_weights, 1).some((weight) => weight !== 0)).toBe(true);
});

test.each([
  ['fewer pictures in as many rows', 2, 4],
  ['fewer rows', 1, 2],
  ['more rows', 3, 8],
])('what an earlier batch had is not seen: %s', (_, count, rows) => {
  const used = canvasFeeds(noSquare, SIZE);
  used(pictures, 4);
  // The canvas has no picture that is lower than the others, between which an earlier one may show.
  const same = Array.from({ length: count }, () => pictures[1]!);
  expect(copied(used(same, rows))).toEqual(copied(canvasFeeds(noSquare, SIZE)(same, rows)));
});
