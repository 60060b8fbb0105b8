/** What the exit status of the daemon says; systemd restarts on anything but 0, 1 and 2. */
export const EXIT_CODES = {
  /** Drained: every job ended by itself, nothing was aborted. */
  CLEAN: 0,
  /** The command line or the configuration is wrong. */
  USAGE: 1,
  /** A check before the first poll failed: GPU, model pack, database, queue or bucket. */
  PREFLIGHT: 2,
  /** A system failure stopped the worker (GPU lost, out of memory, disk full): restart it. */
  SYSTEM_FAILURE: 3,
  /** The drain's deadline passed: jobs were aborted and their messages given back. */
  GIVEN_BACK: 4,
  /** A job did not end after its abort; its message was given back and the process left it behind. */
  STUCK: 5,
  /** A command could not do what it was asked for: the object or the file is at fault, or a service was away. */
  FAILED: 6,
  /** An error that nothing caught. */
  CRASH: 70,
} as const;

export interface DrainOutcome {
  readonly givenBack: number;
  readonly stuck: number;
  readonly failure: unknown;
}

/** The worst of what happened decides. */
export function exitCodeOf(outcome: DrainOutcome): number {
  if (outcome.failure !== null) return EXIT_CODES.SYSTEM_FAILURE;
  if (outcome.stuck > 0) return EXIT_CODES.STUCK;
  return outcome.givenBack > 0 ? EXIT_CODES.GIVEN_BACK : EXIT_CODES.CLEAN;
}
