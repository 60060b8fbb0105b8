import { isBlankAt, isQuoteAt, pastBlanks } from './characters.ts';
import type { Reading } from './reading.ts';

/** What stands between a name and its value. */
export interface Separator {
  /**
   * `pair`: two members of one object, `"name": "PASSWORD", "value": "..."`. `list`: one after another, as Node lists headers. `flag`: a
   * blank behind an option of a command.
   */
  readonly sign: '=' | ':' | '>' | 'flag' | 'list' | 'pair';
  /** Where the value begins. */
  readonly value: number;
  readonly isQuotedName: boolean;
  /** PLAIN, ESCAPED or ENCODED, as the sign is. */
  readonly kind: number;
}

/** The separator behind the name that begins and ends there; null where nothing is assigned to it. */
export function separatorBehind(reading: Reading, start: number, end: number): Separator | null {
  const { text } = reading;
  const isQuotedName = isQuoteAt(text, end);
  let at = isQuotedName ? end + 1 : end;
  if (isQuotedName && text[at] === ']') at += 1;
  const sign = pastBlanks(text, at);
  const kind = reading.kindOf(sign);
  const found = (name: Separator['sign'], value: number): Separator => ({
    sign: name,
    value: pastBlanks(text, value),
    isQuotedName,
    kind,
  });
  switch (text[sign] ?? '') {
    case '=':
      return found('=', text[sign + 1] === '>' || text[sign + 1] === '=' ? sign + 2 : sign + 1);
    case ':':
      return behindColon(text, sign, found);
    case '>':
      return isTag(text, start) && sign === end ? found('>', sign + 1) : null;
    case ',':
      return isQuotedName ? (pairBehind(reading, sign) ?? found('list', sign + 1)) : null;
    default: {
      const isOption = text.startsWith('--', start) && text[sign] !== '-' && !isBlankAt(text, sign);
      return sign > end && (isOption || isOfSql(text, { start, end, sign }))
        ? { ...found('flag', sign), kind: reading.kindOf(end) }
        : null;
    }
  }
}

/** `ALTER USER worker PASSWORD 'text'`, as a database repeats a statement. */
function isOfSql(
  text: string,
  { start, end, sign }: { readonly start: number; readonly end: number; readonly sign: number },
): boolean {
  return text[sign] === "'" && end - start === 8 && text.slice(start, end).toLowerCase() === 'password';
}

/** Null behind `::`, and in front of the address of a URL. */
function behindColon(
  text: string,
  colon: number,
  found: (name: Separator['sign'], value: number) => Separator,
): Separator | null {
  if (text[colon + 1] === ':' || text.startsWith('//', colon + 1)) return null;
  return text[colon + 1] === '=' ? found('=', colon + 2) : found(':', colon + 1);
}

/** `<Name>` or `<space:Name>`. */
function isTag(text: string, start: number): boolean {
  if (text[start - 1] === '<') return true;
  if (text[start - 1] !== ':') return false;
  const from = Math.max(0, start - 32);
  return text.slice(from, start).lastIndexOf('<') > text.slice(from, start).lastIndexOf('>');
}

function pairBehind(reading: Reading, comma: number): Separator | null {
  const { text } = reading;
  const name = pastBlanks(text, comma + 1) + 1;
  if (!isQuoteAt(text, name - 1) || !/^value$/i.test(text.slice(name, name + 5))) return null;
  if (!isQuoteAt(text, name + 5)) return null;
  const colon = pastBlanks(text, name + 6);
  if (text[colon] !== ':') return null;
  return { sign: 'pair', value: pastBlanks(text, colon + 1), isQuotedName: true, kind: reading.kindOf(colon) };
}
