/**
 * The size of a sweep: what every run of the tests can afford, or, with `TEST_DEPTH=deep`, what finds the rare. Both take their cases from
 * the same seeds, the usual ones first.
 */
export function atDepth(usual: number, deep: number): number {
  return process.env['TEST_DEPTH'] === 'deep' ? deep : usual;
}
