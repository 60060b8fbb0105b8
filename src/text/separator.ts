import { isBlankAt, isLineEndAt, isQuoteAt, pastBlanks, pastSpace } from './characters.ts';
import type { Reading } from './reading.ts';

const CDATA = '<![CDATA[';
const LONGEST_ATTRIBUTES = 256;
const VALUE = /^(?:parameter)?value/i;

/** What stands between a name and its value. */
export interface Separator {
  /**
   * `pair`: two members of one object, `"name": "PASSWORD", "value": "..."`, in JSON, YAML or the attributes of XML. `list`: one after another, as Node lists headers. `flag`: a
   * blank behind an option of a command.
   */
  readonly sign: '=' | ':' | '>' | 'flag' | 'list' | 'pair';
  /** Where the value begins. */
  readonly value: number;
  readonly isQuotedName: boolean;
  /** Of a list: the name is an option, as in `["--password", "..."]`. */
  readonly isOption?: boolean;
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
    value: valueBehind(text, name, value),
    isQuotedName,
    kind,
  });
  switch (text[sign] ?? '') {
    case '=':
      return found('=', text[sign + 1] === '>' || text[sign + 1] === '=' ? sign + 2 : sign + 1);
    case ':':
      return behindColon(text, sign, found);
    case '>':
      return (isTag(text, start) && sign === end) || (isQuotedName && sign === at) ? found('>', sign + 1) : null;
    case ',':
      return isQuotedName ? behindComma(reading, { start, end, sign }, found) : null;
    default:
      return behindBlank(reading, { start, end, sign }, found);
  }
}

type Found = (name: Separator['sign'], value: number) => Separator;

/** Where a name begins and ends, and what stands behind it. */
interface Named {
  readonly start: number;
  readonly end: number;
  readonly sign: number;
}

function behindComma(reading: Reading, { start, sign }: Named, found: Found): Separator | null {
  const { text } = reading;
  const list = { ...found('list', sign + 1), isOption: text.startsWith('--', start) };
  // Behind an option without a value another one follows.
  const isFlag = list.isOption && text[list.value + 1] === '-';
  return pairBehind(reading, sign + 1) ?? (isFlag ? null : list);
}

function behindBlank(reading: Reading, named: Named, found: Found): Separator | null {
  const { text } = reading;
  const { start, end, sign } = named;
  const isNamed = isQuoteAt(text, end) || (isLineEndAt(text, sign) && text.startsWith(': ', start - 2));
  const pair = isNamed ? pairBehind(reading, sign) : null;
  if (pair !== null) return pair;
  const tag = isTag(text, start) ? tagEnd(text, end) : null;
  if (tag !== null) return found('>', tag + 1);
  const isOption = text.startsWith('--', start) && text[sign] !== '-' && !isBlankAt(text, sign);
  return sign > end && (isOption || isOfSql(text, named))
    ? { ...found('flag', sign), kind: reading.kindOf(end) }
    : null;
}

/** Where the value begins: on the next line only where it is quoted there, or stands in a tag. */
function valueBehind(text: string, sign: Separator['sign'], from: number): number {
  const value = pastBlanks(text, from);
  if (sign === '>') {
    const inTag = pastSpace(text, value);
    return text.startsWith(CDATA, inTag) ? inTag + CDATA.length : inTag;
  }
  const next = pastSpace(text, value);
  return sign !== 'flag' && isQuoteAt(text, next) ? next : value;
}

/** The end of the tag whose name ends there, behind its attributes. */
function tagEnd(text: string, end: number): number | null {
  const length = text.slice(end, end + LONGEST_ATTRIBUTES).search(/[<>\n]/);
  return length === -1 || text[end + length] !== '>' ? null : end + length;
}

/** `ALTER USER worker PASSWORD 'text'`, `CREATE USER worker IDENTIFIED BY 'text'`, as a database repeats a statement. */
function isOfSql(text: string, { start, end, sign }: Named): boolean {
  if (text[sign] !== "'" && text[sign] !== '"') return false;
  if (end - start === 8) return text.slice(start, end).toLowerCase() === 'password';
  return text.slice(Math.max(0, end - 13), end).toLowerCase() === 'identified by';
}

/** Null behind `::`, and in front of the address of a URL. */
function behindColon(text: string, colon: number, found: Found): Separator | null {
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

/** The value of `name: PASSWORD, value: ...`, whose second name begins behind a place. */
function pairBehind(reading: Reading, from: number): Separator | null {
  const { text } = reading;
  const start = pastSpace(text, from);
  const name = isQuoteAt(text, start) ? start + 1 : start;
  const length = VALUE.exec(text.slice(name, name + 16))?.[0].length;
  if (length === undefined || (name > start && !isQuoteAt(text, name + length))) return null;
  const sign = pastBlanks(text, name > start ? name + length + 1 : name + length);
  const isAttribute = text[sign] === '=' && isQuoteAt(text, sign + 1);
  if (text[sign] !== ':' && !isAttribute) return null;
  return { sign: 'pair', value: pastSpace(text, sign + 1), isQuotedName: true, kind: reading.kindOf(sign) };
}
