/** All results, or the first failure in order, when every one has settled: until then they may read what the caller lent for them. */
export async function everySettled<Result>(results: readonly Promise<Result>[]): Promise<readonly Result[]> {
  await Promise.allSettled(results);
  return await Promise.all(results);
}
