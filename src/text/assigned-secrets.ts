import { isBlankAt, isNameAt, isQuoteAt, nameEnd, pastSpace } from './characters.ts';
import { lineEnd, QuoteEnds } from './quoted.ts';
import { ENCODED, PLAIN, type Reading } from './reading.ts';
import { isSecretPhrase, LONGEST_NAME, secretNameOf, type SecretName } from './secret-names.ts';
import { separatorBehind, type Separator } from './separator.ts';
import { blockOf, headerEnd, unquotedEnd } from './value-ends.ts';
import type { Span } from './span.ts';

/** Words that stand where a secret would, and are none. `***` is what scrubbing leaves. */
const NO_SECRETS: ReadonlySet<string> = new Set(['', '***', 'null', 'none', 'undefined', 'true', 'false', 'nil']);

/** The values of everything that is called a password, a token, a key: assigned, in JSON, in XML, as a header, in a connection string. */
export function assignedSecrets(reading: Reading): readonly Span[] {
  const { text } = reading;
  const quotes = new QuoteEnds(reading);
  const spans: Span[] = [];
  for (let index = 0; index < text.length;) {
    if (!isNameAt(text, index)) {
      index += 1;
      continue;
    }
    const end = nameEnd(text, index);
    const found = valuesBehind(reading, quotes, index, end);
    // One by one: a list may have more values than a call takes arguments.
    for (const span of found) if (isSecret(text, span)) spans.push(span);
    index = Math.max(end, found.at(-1)?.end ?? 0);
    const first = found[0];
    // A quote that somebody left open closes where the next value opens: what is called a secret inside is looked at as well.
    if (first !== undefined && isQuoteAt(text, first.start - 1)) index = first.start;
    // Between the name of a tag and its end are attributes.
    if (first !== undefined && text[end] !== '>' && text[first.start - 1] === '>') index = end;
  }
  return spans;
}

function isSecret(text: string, { start, end }: Span): boolean {
  return !NO_SECRETS.has(text.slice(start, Math.min(end, start + 10)).trim());
}

/** The name that begins and ends there, and what it gives away; nothing where it is none of a secret, or nothing is assigned to it. */
function valuesBehind(reading: Reading, quotes: QuoteEnds, start: number, end: number): readonly Span[] {
  const separator = separatorBehind(reading, start, end);
  if (separator === null) return [];
  const name = nameBefore(reading, start, end);
  if (name === null || !fits(name, separator)) return [];
  const { text } = reading;
  const { value } = separator;
  if (isQuoteAt(text, value)) return [inQuotes(reading, quotes, value)];
  if (separator.sign === 'list') return [];
  if (text[value] === '[') return inList(reading, quotes, value);
  if (text[value] === '{') return separator.sign === '=' ? [inBraces(reading, value)] : [];
  if (name === 'header') {
    return [{ start: value, end: headerEnd(reading, quotes, { start, value, separator }) }];
  }
  const block = separator.sign === ':' ? blockOf(text, value) : null;
  return [block ?? { start: value, end: unquotedEnd(reading, { start, value, separator }) }];
}

function nameBefore({ text }: Reading, start: number, end: number): SecretName | null {
  const own = secretNameOf(text.slice(Math.max(start, end - LONGEST_NAME), end));
  if (own !== null || text[start - 1] !== ' ') return own;
  return isSecretPhrase(text.slice(Math.max(0, end - LONGEST_NAME), end)) ? 'value' : null;
}

function fits(name: SecretName, { sign, isQuotedName, isOption }: Separator): boolean {
  if (sign === 'list') return name === 'header' || isOption === true;
  return name !== 'assigned' || sign !== ':' || isQuotedName;
}

function inQuotes(reading: Reading, quotes: QuoteEnds, opening: number): Span {
  const { text } = reading;
  // As Python and TOML write a text of several lines.
  const three = (text[opening] ?? '').repeat(3);
  const ending = text.startsWith(three, opening) ? text.indexOf(three, opening + 3) : -1;
  if (ending !== -1) return { start: opening + 3, end: ending };
  return { start: opening + 1, end: quotes.closing(opening) ?? openEnd(reading, opening + 1) };
}

/** Of a quote that was cut off: a line end that is escaped is a part of the value. */
function openEnd(reading: Reading, start: number): number {
  let end = lineEnd(reading, start);
  while (end < reading.text.length && reading.kindOf(end) !== PLAIN) end = lineEnd(reading, end + 1);
  return end;
}

/**
 * The texts of `["a", "b"]`. A list within a text of another one soon goes on as that does, and what was read there is not read again: a
 * row of them would be read once for each.
 */
function inList(reading: Reading, quotes: QuoteEnds, opening: number): readonly Span[] {
  const { text } = reading;
  const spans: Span[] = [];
  for (let index = pastSpace(text, opening + 1); isQuoteAt(text, index) && quotes.isFirstInList(index);) {
    const span = inQuotes(reading, quotes, index);
    spans.push(span);
    index = pastSpace(text, span.end + 1);
    if (text[index] !== ',') break;
    index = pastSpace(text, index + 1);
  }
  return spans;
}

/** ODBC's quotes: a brace inside is doubled. Without an end, as any other value. */
function inBraces(reading: Reading, opening: number): Span {
  const { text } = reading;
  let index = opening + 1;
  while (!isBlankAt(text, index) || text[index] === ' ') {
    if (text[index] !== '}' || reading.kindOf(index) === ENCODED) index += 1;
    else if (text[index + 1] === '}') index += 2;
    else break;
  }
  return { start: opening, end: index };
}
