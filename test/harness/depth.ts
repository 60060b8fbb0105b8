/** Whether sweeps take all of their cases: with `TEST_DEPTH=deep`. */
export function isDeep(): boolean {
  return process.env['TEST_DEPTH'] === 'deep';
}

/** The size of a sweep: what every run of the tests can afford, or what finds the rare. Both take their cases from the same seeds, the usual first. */
export function atDepth(usual: number, deep: number): number {
  return isDeep() ? deep : usual;
}
