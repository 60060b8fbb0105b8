import { Session, type Profiler } from 'node:inspector';

/** Counts of a block that differ in kind: once, twice, three times, few, many. As libFuzzer has them. */
const BUCKETS = [1, 2, 3, 4, 8, 16, 32, 128];
/** Reached at all. */
const REACHED = 1 << BUCKETS.length;

/**
 * Which code ran, as V8 counts it by itself: the files are the ones that run in production, compiled as there. A look costs a millisecond,
 * so that many inputs share one; only where one of them reached something new are they looked at singly.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #covers: readonly string[];
  /** Marks of each character of a function by its place. */
  readonly #seen = new Map<string, Uint16Array>();
  readonly #blocks = new Set<string>();

  constructor(covers: readonly string[]) {
    this.#covers = covers;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks of code that any input reached. */
  get blocks(): number {
    return this.#blocks.size;
  }

  /** Forgets what ran since the last look. */
  skip(): void {
    this.#look();
  }

  /** Whether code ran since the last look that never ran before. */
  isNewOfMany(): boolean {
    return this.#functions().some(({ place, own }) => {
      const marks = this.#marksOf(place, own);
      return own.ranges.some((_range, at) => countOf(own, at) > 0 && hasGap(marks, own, at, REACHED));
    });
  }

  /** Whether the one input since the last look ran code that never ran before, or ran it more often than any did. */
  isNewOfOne(): boolean {
    let isNew = false;
    for (const { place, own } of this.#functions()) {
      const marks = this.#marksOf(place, own);
      own.ranges.forEach(({ startOffset, endOffset }, at) => {
        const count = countOf(own, at);
        if (count === 0) return;
        this.#blocks.add(`${place} ${startOffset}-${endOffset}`);
        if (mark(marks, own, at, REACHED | (1 << bucketOf(count)))) isNew = true;
      });
    }
    return isNew;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #functions(): readonly { readonly place: string; readonly own: Profiler.FunctionCoverage }[] {
    return this.#look().flatMap(({ url, functions }) => {
      if (!this.#covers.some((end) => url.endsWith(end))) return [];
      const name = (own: Profiler.FunctionCoverage): string =>
        `${url}:${own.ranges[0]?.startOffset}-${own.ranges[0]?.endOffset}`;
      return functions.map((own) => ({ place: name(own), own }));
    });
  }

  #marksOf(place: string, { ranges }: Profiler.FunctionCoverage): Uint16Array {
    const known = this.#seen.get(place);
    if (known !== undefined) return known;
    const [whole] = ranges;
    const marks = new Uint16Array(whole === undefined ? 0 : whole.endOffset - whole.startOffset);
    this.#seen.set(place, marks);
    return marks;
  }

  #look(): Profiler.ScriptCoverage[] {
    let found: Profiler.ScriptCoverage[] | null = null;
    // It answers before it returns: a session of the same thread has nobody to wait for.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      found = answer.result;
    });
    if (found === null) throw new Error('V8 did not tell at once which code ran');
    return found;
  }
}

function countOf({ ranges }: Profiler.FunctionCoverage, at: number): number {
  return ranges[at]?.count ?? 0;
}

function bucketOf(count: number): number {
  return BUCKETS.findLastIndex((least) => count >= least);
}

/** A range holds its own count but for the ranges inside it, which come after it. */
function* piecesOf({ ranges }: Profiler.FunctionCoverage, at: number): Generator<readonly [number, number]> {
  const range = ranges[at];
  const base = ranges[0]?.startOffset ?? 0;
  if (range === undefined) return;
  let from = range.startOffset;
  for (let next = at + 1; next < ranges.length; next++) {
    const inner = ranges[next];
    if (inner === undefined || inner.startOffset >= range.endOffset) break;
    if (inner.startOffset < from) continue;
    yield [from - base, inner.startOffset - base];
    from = inner.endOffset;
  }
  yield [from - base, range.endOffset - base];
}

function hasGap(marks: Uint16Array, own: Profiler.FunctionCoverage, at: number, wanted: number): boolean {
  for (const [from, to] of piecesOf(own, at)) {
    for (let place = from; place < to; place++) if (((marks[place] ?? 0) & wanted) !== wanted) return true;
  }
  return false;
}

/** True where a mark was missing. */
function mark(marks: Uint16Array, own: Profiler.FunctionCoverage, at: number, wanted: number): boolean {
  let isNew = false;
  for (const [from, to] of piecesOf(own, at)) {
    for (let place = from; place < to; place++) {
      const before = marks[place] ?? 0;
      if ((before & wanted) === wanted) continue;
      marks[place] = before | wanted;
      isNew = true;
    }
  }
  return isNew;
}
