const MAX_CAUSES = 8;

/** An error and what is behind it, the outermost first; nothing for what is no object. Bounded, and safe on a circle. */
export function causesOf(error: unknown): readonly object[] {
  const chain: object[] = [];
  let next: unknown = error;
  while (typeof next === 'object' && next !== null && chain.length < MAX_CAUSES && !chain.includes(next)) {
    chain.push(next);
    next = behind(next);
  }
  return chain;
}

function behind(error: object): unknown {
  // Node reports a connection that failed on every address as an aggregate without a cause.
  if (error instanceof AggregateError) return (error.errors as unknown[])[0];
  // What could not be closed after a failure is no reason of it.
  return 'suppressed' in error ? error.suppressed : (error as { readonly cause?: unknown }).cause;
}
