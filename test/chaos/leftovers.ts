/** Asks until nothing is left or the time is over, and answers with what is left. */
export async function untilNone(count: () => Promise<number> | number, limitMs: number): Promise<number> {
  const end = performance.now() + limitMs;
  for (;;) {
    const left = await count();
    if (left === 0 || performance.now() > end) return left;
    await new Promise((wake) => setTimeout(wake, 200));
  }
}
