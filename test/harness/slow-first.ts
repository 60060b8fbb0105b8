/**
 * The files that take longest, the longest first: started first, they do not keep one core busy at the end while the other has
 * nothing left to do. For a fresh clone, whose earlier runs tell nothing yet.
 */
export const SLOW_FILES: readonly string[] = [
  'test/integration/soak/soak.test.ts',
  'test/e2e/demo.test.ts',
  'test/e2e/chaos.test.ts',
  'test/e2e/commands.test.ts',
  'test/integration/export/export-vision.test.ts',
  'test/integration/export/export-fastvlm.test.ts',
  'test/integration/video/fuzz-media.test.ts',
  'test/e2e/bundle.test.ts',
  'test/integration/cuda/memory.test.ts',
  'test/integration/persistence/both-databases.test.ts',
  'test/integration/job/untrusted-video.test.ts',
  'test/integration/demo/video.test.ts',
  'test/e2e/daemon.test.ts',
  'test/integration/persistence/embedded/embedded-postgres.test.ts',
  'test/integration/local/stack.test.ts',
  'test/integration/video/decode.test.ts',
  'test/e2e/prepare.test.ts',
  'test/integration/chain/session-per-size.test.ts',
  'test/integration/cuda/missing-libraries.test.ts',
  'test/e2e/evaluate.test.ts',
];

/** What is known of a test file before it runs. */
export interface KnownTest {
  /** Relative to the project. */
  readonly file: string;
  readonly failedLast: boolean;
  /** Milliseconds of its last run on this machine. */
  readonly lastTook: number | undefined;
}

/** Compares two files by what is to start first: what failed, then what takes longer, by the last run or else by the list. */
export function startsFirst(a: KnownTest, b: KnownTest): number {
  return Number(b.failedLast) - Number(a.failedLast) || expected(b) - expected(a);
}

/** Listed files have no duration here but their rank: the least of them takes longer than five seconds. */
function expected({ file, lastTook }: KnownTest): number {
  if (lastTook !== undefined) return lastTook;
  const rank = SLOW_FILES.indexOf(file);
  return rank === -1 ? 0 : 5_000 + SLOW_FILES.length - rank;
}
