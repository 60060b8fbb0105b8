import { outsideText } from '../text/outside-text.ts';
import { toFailure } from '../failure/classify.ts';
import { factsOf } from '../failure/failure.ts';
import { EXIT_CODES } from '../worker/exit-codes.ts';
import { complain, linesOf } from './terminal.ts';

/** UTF-16 units of what is told of a cause. */
const CAUSE_LENGTH = 500;

/**
 * Says an error in one paragraph on standard error, code first, causes behind it, and picks the exit code. A part of the worker that
 * cannot be loaded is told with its stack: which file asked for it says what is half installed.
 */
export function explain(error: unknown): number {
  const [first, later] = unfold(error);
  const failure = toFailure(first);
  const causes: string[] = [];
  for (let cause = failure.cause; cause instanceof Error && causes.length < 3; cause = cause.cause) {
    const said = outsideText(cause.message, CAUSE_LENGTH);
    if (said !== '' && !failure.message.includes(said)) causes.push(...linesOf(`  because: ${said}`));
  }
  const facts = Object.entries(factsOf(failure)).map(([name, value]) => `  ${name}: ${String(value)}`);
  const closing = later.map(toFailure).map(({ code, message }) => `  and while closing, ${code}: ${message}`);
  const stack =
    failure.code === 'INSTALL_BROKEN' && failure.cause instanceof Error ? (failure.cause.stack ?? '').split('\n') : [];
  complain(...linesOf(`${failure.code}: ${failure.message}`), ...facts, ...causes, ...closing, ...stack);
  // Starting again mends neither of the two.
  if (failure.code === 'CONFIG_INVALID' || failure.code === 'INSTALL_BROKEN') return EXIT_CODES.USAGE;
  return failure.class === 'system' ? EXIT_CODES.SYSTEM_FAILURE : EXIT_CODES.FAILED;
}

/**
 * The error that ended the work and, in the order of their times, those of closing after it: `using` wraps each later one
 * around what came before. Told by its fields, since the compiled `using` makes its own where Node has no SuppressedError.
 */
function unfold(error: unknown): readonly [unknown, readonly unknown[]] {
  const later: unknown[] = [];
  let first = error;
  while (typeof first === 'object' && first !== null && 'error' in first && 'suppressed' in first) {
    later.unshift(first.error);
    first = first.suppressed;
  }
  return [first, later];
}
