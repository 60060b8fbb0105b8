/** Where the distribution of a label's token is found: a continuation path and a position in it. */
interface PathPosition {
  readonly path: number;
  readonly position: number;
}

/**
 * What must be run to score labels after one shared prompt. The first token of every label is read from the prompt's own logits.
 * `paths` are the token sequences after which a next token is needed, without those that begin another one: a trie's
 * longest inner branches. Running them as teacher-forced continuations gives every inner node of the trie at once.
 */
export interface LabelTrie {
  readonly labels: readonly (readonly number[])[];
  readonly paths: readonly (readonly number[])[];
  /** For each label, the place of its 2nd, 3rd, ... token's distribution. */
  readonly places: readonly (readonly PathPosition[])[];
}

/** Builds the trie from the labels' token ids. */
export function labelTrie(labels: readonly (readonly number[])[]): LabelTrie {
  const inner = labels.map((tokens) => tokens.slice(0, -1)).filter((path) => path.length > 0);
  const longestFirst = inner.toSorted((a, b) => b.length - a.length);
  const paths: (readonly number[])[] = [];
  for (const path of longestFirst) {
    if (!paths.some((known) => beginsWith(known, path))) paths.push(path);
  }
  const places = labels.map((tokens) =>
    tokens.slice(1).map((_, i) => {
      const before = tokens.slice(0, i + 1);
      return { path: paths.findIndex((path) => beginsWith(path, before)), position: i };
    }),
  );
  return { labels, paths, places };
}

/** The paths' tokens one path after another, each filled up to `length`, the longest: what stands after a path's own end is never read. */
export function filledPaths({ paths }: Pick<LabelTrie, 'paths'>): {
  readonly length: number;
  readonly ids: readonly number[];
} {
  const length = Math.max(0, ...paths.map((path) => path.length));
  return { length, ids: paths.flatMap((path) => Array.from({ length }, (_, i) => path[i] ?? path[0] ?? 0)) };
}

function beginsWith(path: readonly number[], start: readonly number[]): boolean {
  return start.length <= path.length && start.every((token, i) => token === path[i]);
}
