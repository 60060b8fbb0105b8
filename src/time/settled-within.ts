import type { Clock } from './clock.ts';

/** Waits for the work, at most so long. False: the time is over and the work goes on. A rejection counts as settled. */
export async function settledWithin(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const cancel = clock.after(ms, () => {
    resolve(false);
  });
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    cancel();
  }
}
