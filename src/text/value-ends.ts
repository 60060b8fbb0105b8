import { isBlankAt, isLineEndAt, isNameAt, isQuoteAt, pastBlanks } from './characters.ts';
import type { QuoteEnds } from './quoted.ts';
import { ENCODED, type Reading } from './reading.ts';
import type { Separator } from './separator.ts';
import { counts, isClosingQuote, type Span } from './span.ts';

/** An assignment: where its name and its value begin. */
export interface Assignment {
  readonly start: number;
  readonly value: number;
  readonly separator: Separator;
}

const LONGEST_NAME = 40;
/** How far a value with blanks may reach for the semicolon behind it. */
const LONGEST_BLANK_VALUE = 128;

/**
 * Where an unquoted value ends: at a blank, at a quote that closes something around it, or at the separator before the next name. A
 * separator that no name follows belongs to the value: passwords have them.
 */
export function unquotedEnd(reading: Reading, assignment: Assignment): number {
  const { text } = reading;
  const { start, value, separator } = assignment;
  const isListed = text[start - 1] === ';' || text[start - 2] === ';';
  const reach = isListed ? blankReach(reading, assignment) : value;
  let index = value;
  while (index < text.length) {
    const isBlank = isBlankAt(text, index) && (index >= reach || isLineEndAt(text, index));
    const isEnd = isBlank || endsValue(reading, index, { separator, isListed });
    if (isEnd && counts(reading, index, separator.kind)) break;
    index += 1;
  }
  return withoutTail(text, value, index);
}

/** In a list that semicolons separate (ADO, ODBC) a value may hold blanks. */
function blankReach({ text }: Reading, { start, value, separator }: Assignment): number {
  if (separator.sign !== '=') return value;
  const semicolon = text.slice(value, value + LONGEST_BLANK_VALUE).search(/[;\n"']/);
  if (semicolon !== -1) return value + semicolon;
  return text[start - 1] === ';' ? value + LONGEST_BLANK_VALUE : value;
}

function endsValue(
  reading: Reading,
  index: number,
  { separator: { sign }, isListed }: { readonly separator: Separator; readonly isListed: boolean },
): boolean {
  const { text } = reading;
  switch (text[index] ?? '') {
    case ';':
      return isBlankAt(text, index + 1) || isNameAhead(text, index + 1, { signs: '=', hasBlanks: isListed });
    case '&':
      return isBlankAt(text, index + 1) || isNameAhead(text, index + 1, { signs: '=' });
    case ',':
      return isBlankAt(text, index + 1) || isQuoteAt(text, index + 1) || isNameAhead(text, index + 1, { signs: '=:' });
    case '<':
      return sign === '>' || text[index + 1] === '/';
    default:
      return isClosingQuote(reading, index);
  }
}

/** Whether a name and a sign behind it begin there; names in connection strings may have blanks. */
function isNameAhead(
  text: string,
  from: number,
  { signs, hasBlanks = false }: { readonly signs: string; readonly hasBlanks?: boolean },
): boolean {
  let index = pastBlanks(text, from, 2);
  const end = index + LONGEST_NAME;
  if (!isNameAt(text, index)) return false;
  const blank = hasBlanks ? ' ' : null;
  while (index < end && (isNameAt(text, index) || text[index] === blank)) index += 1;
  return signs.includes(text[index] ?? ' ');
}

/** The lines of a block of YAML that `|` or `>` begins there: those that are indented as far as its first one. Null: none begins. */
export function blockOf(text: string, value: number): Span | null {
  const sign = /^[|>][-+\d]{0,2}\r?\n( +)/.exec(text.slice(value, value + 128));
  const indent = sign?.[1];
  if (sign === null || indent === undefined) return null;
  const start = value + sign[0].length;
  let end = start;
  for (;;) {
    while (!isLineEndAt(text, end)) end += 1;
    const next = text[end] === '\r' ? end + 1 : end;
    if (!text.startsWith(`\n${indent}`, next)) return { start, end };
    end = next + 1;
  }
}

/** What closes a sentence or a bracket around the value is not masked, for the eye. */
function withoutTail(text: string, start: number, end: number): number {
  let index = end;
  while (index > start + 1 && end - index < 4 && ')]},.;'.includes(text[index - 1] ?? ' ')) index -= 1;
  return index;
}

/**
 * Where the value of a header ends: at the quote that opened before its name; else at the end of the line, or of the JSON string that it is
 * in. In a query, before the next name.
 */
export function headerEnd(reading: Reading, quotes: QuoteEnds, { start, value, separator }: Assignment): number {
  const { text } = reading;
  const before = start - 1;
  const enclosing = isQuoteAt(text, before) ? quotes.closingInLine(before, value) : null;
  if (enclosing !== null && enclosing >= value) return enclosing;
  let index = value;
  while (!(isLineEndAt(text, index) && counts(reading, index, separator.kind))) {
    if (text[index] === '"' && counts(reading, index, separator.kind) && isStringEnd(text, index)) break;
    if (text[index] === '&' && separator.sign === '=' && isNameAhead(text, index + 1, { signs: '=' })) break;
    if (separator.kind === ENCODED && text[index] === '&' && reading.kindOf(index) !== ENCODED) break;
    index += 1;
  }
  return index;
}

function isStringEnd(text: string, index: number): boolean {
  const next = pastBlanks(text, index + 1, 2);
  return next >= text.length || ',}]'.includes(text[next] ?? ' ') || isLineEndAt(text, next);
}
