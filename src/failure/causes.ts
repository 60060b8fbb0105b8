const MAX_CAUSES = 8;

/** An error and what is behind it, the outermost first; nothing for what is no object. Bounded, and safe on a circle. */
export function causesOf(error: unknown): readonly object[] {
  const chain: object[] = [];
  let next: unknown = error;
  while (typeof next === 'object' && next !== null && chain.length < MAX_CAUSES && !chain.includes(next)) {
    chain.push(next);
    // Node reports a connection that failed on every address as an aggregate without a cause.
    next = next instanceof AggregateError ? (next.errors as unknown[])[0] : (next as { cause?: unknown }).cause;
  }
  return chain;
}
