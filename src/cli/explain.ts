import { toFailure } from '../failure/classify.ts';
import { factsOf } from '../failure/failure.ts';
import { EXIT_CODES } from '../worker/exit-codes.ts';

/** Says an error in one paragraph on standard error, code first, causes behind it, and picks the exit code. */
export function explain(error: unknown): number {
  const failure = toFailure(error);
  const causes: string[] = [];
  for (let cause = failure.cause; cause instanceof Error && causes.length < 3; cause = cause.cause) {
    if (cause.message !== '' && !failure.message.includes(cause.message)) causes.push(`  because: ${cause.message}`);
  }
  const facts = Object.entries(factsOf(failure)).map(([name, value]) => `  ${name}: ${String(value)}`);
  process.stderr.write(`${[`${failure.code}: ${failure.message}`, ...facts, ...causes].join('\n')}\n`);
  if (failure.code === 'CONFIG_INVALID') return EXIT_CODES.USAGE;
  return failure.class === 'system' ? EXIT_CODES.SYSTEM_FAILURE : EXIT_CODES.FAILED;
}
