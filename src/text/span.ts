import { isBlankAt, isQuoteAt } from './characters.ts';
import { ENCODED, type Reading } from './reading.ts';

/** Characters of a reading that hide a secret: from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const BEHIND_A_QUOTE = new Set([',', ';', ':', ')', ']', '}', '>', '<', '/', '&', '|', '"', "'", '`', '+', '.']);

/**
 * Whether a character can separate parts of what stands as `like` says: in a plain text, an encoded one belongs to a value and separates
 * nothing.
 */
export function counts(reading: Reading, index: number, like: number): boolean {
  return like === ENCODED || reading.kindOf(index) !== ENCODED;
}

/** Whether a quote is the end of what stands in quotes, going by what comes after it: a password may have one in the middle. */
export function isClosingQuote({ text }: Reading, index: number): boolean {
  return isQuoteAt(text, index) && (isBlankAt(text, index + 1) || BEHIND_A_QUOTE.has(text[index + 1] ?? ''));
}

/** Sorted by their starts, with what overlaps or touches made one. */
export function merged(spans: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last !== undefined && span.start <= last.end) {
      found[found.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    } else if (span.end > span.start) {
      found.push(span);
    }
  }
  return found;
}
