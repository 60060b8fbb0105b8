/**
 * Optimal assignment: pairs [row, column] with the greatest sum of scores, each row and column at most once.
 * Shortest augmenting paths with potentials (Jonker, Volgenant 1987), O(n^3).
 */
export function assignMaximum(scores: readonly (readonly number[])[]): (readonly [number, number])[] {
  const rows = scores.length;
  const columns = scores[0]?.length ?? 0;
  const n = Math.max(rows, columns);
  const cost = (i: number, j: number): number => -(scores[i - 1]?.[j - 1] ?? 0);
  const u = new Float64Array(n + 1);
  const v = new Float64Array(n + 1);
  const rowOf = new Int32Array(n + 1);
  const at = (array: ArrayLike<number>, index: number): number => array[index] ?? 0;
  for (let row = 1; row <= n; row++) {
    const least = new Float64Array(n + 1).fill(Infinity);
    const used = new Uint8Array(n + 1);
    const way = new Int32Array(n + 1);
    rowOf[0] = row;
    let column = 0;
    do {
      used[column] = 1;
      const i = at(rowOf, column);
      let delta = Infinity;
      let next = 0;
      for (let j = 1; j <= n; j++) {
        if (used[j] === 1) continue;
        const reduced = cost(i, j) - at(u, i) - at(v, j);
        if (reduced < at(least, j)) {
          least[j] = reduced;
          way[j] = column;
        }
        if (at(least, j) < delta) {
          delta = at(least, j);
          next = j;
        }
      }
      for (let j = 0; j <= n; j++) {
        if (used[j] === 1) {
          u[at(rowOf, j)] = at(u, at(rowOf, j)) + delta;
          v[j] = at(v, j) - delta;
        } else {
          least[j] = at(least, j) - delta;
        }
      }
      column = next;
    } while (at(rowOf, column) !== 0);
    do {
      const previous = at(way, column);
      rowOf[column] = at(rowOf, previous);
      column = previous;
    } while (column !== 0);
  }
  const pairs: [number, number][] = [];
  for (let j = 1; j <= columns; j++) {
    const i = at(rowOf, j);
    if (i >= 1 && i <= rows) pairs.push([i - 1, j - 1]);
  }
  return pairs.sort((a, b) => a[0] - b[0]);
}
