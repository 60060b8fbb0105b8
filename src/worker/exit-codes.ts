/** What the exit status says. systemd restarts the daemon on anything but 0 and 1. */
export const EXIT_CODES = {
  CLEAN: 0,
  USAGE: 1,
  PREFLIGHT: 2,
  SYSTEM_FAILURE: 3,
  GIVEN_BACK: 4,
  STUCK: 5,
  FAILED: 6,
  CRASH: 70,
} as const;

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT_CODES, string>> = {
  CLEAN:
    'drained: every job ended by itself; stopped before the first receive; or the command did what it was asked for',
  USAGE: 'the command line or the configuration is wrong, or a part of the worker itself cannot be loaded',
  PREFLIGHT:
    'a check before the first receive failed: GPU, model pack, library of the pictures, database, queue, bucket or disk; what may come back was waited for',
  SYSTEM_FAILURE: 'a system failure stopped the worker (GPU lost, out of memory, disk full): start it again',
  GIVEN_BACK: 'drained, and not everything had ended by itself: jobs were aborted, or messages given back',
  STUCK: 'a job did not end after its abort; its message was given back and the process left it behind',
  FAILED: 'a command could not do it: the object or the file is at fault, a service was away, or aims were missed',
  CRASH: 'an error that nothing caught; the messages were given back',
};

export interface DrainOutcome {
  readonly aborted: number;
  readonly givenBack: number;
  readonly stuck: number;
  readonly failure: unknown;
}

/** The worst of what happened decides. */
export function exitCodeOf(outcome: DrainOutcome): number {
  if (outcome.failure !== null) return EXIT_CODES.SYSTEM_FAILURE;
  if (outcome.stuck > 0) return EXIT_CODES.STUCK;
  return outcome.givenBack > 0 || outcome.aborted > 0 ? EXIT_CODES.GIVEN_BACK : EXIT_CODES.CLEAN;
}
