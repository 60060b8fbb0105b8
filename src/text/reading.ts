/** How a character of a reading stands in its source. */
export const PLAIN = 0;
/** Behind backslashes, as JSON and most languages write it. */
export const ESCAPED = 1;
/** As `%22` or `&quot;`. */
export const ENCODED = 2;

/** A text with its escapes resolved, so that a rule sees `password="a b"` however often it was escaped. */
export interface Reading {
  readonly text: string;
  /** Where a character begins in the source; of `text.length`, the length of the source. */
  offsetOf(index: number): number;
  /** PLAIN, ESCAPED or ENCODED. */
  kindOf(index: number): number;
  /** Of a quote: how many strings around it are escaped, 0 for a plain one. */
  depthOf(index: number): number;
}

const BACKSLASH = 92;
const PERCENT = 37;
const AMPERSAND = 38;
const LINE_END: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\n' };
const ENTITIES: readonly (readonly [string, string])[] = [
  ['quot;', '"'],
  ['apos;', "'"],
  ['lt;', '<'],
  ['gt;', '>'],
];
const LONGEST_NUMBER = 6;
/** `%2525`, `&amp;amp;` and deeper: as often as a text is likely to have passed through a URL or a page. */
const MOST_LAYERS = 3;
const DEEPEST = 60;

/** Reads a text in one pass. */
export function read(source: string): Reading {
  if (!/[\\%&]/.test(source)) {
    return { text: source, offsetOf: (index) => index, kindOf: () => PLAIN, depthOf: () => 0 };
  }
  const offsets = new Uint32Array(source.length + 1);
  const marks = new Uint8Array(source.length + 1);
  const codes = new Uint16Array(source.length);
  let length = 0;
  for (let index = 0; index < source.length;) {
    const unit = resolved(source, index);
    offsets[length] = index;
    marks[length] = unit.kind + unit.depth * 4;
    codes[length] = unit.code;
    length += 1;
    index = unit.end;
  }
  offsets[length] = source.length;
  return {
    text: Buffer.from(codes.buffer, 0, length * 2).toString('utf16le'),
    offsetOf: (index) => offsets[index] ?? source.length,
    kindOf: (index) => (marks[index] ?? PLAIN) & 3,
    depthOf: (index) => (marks[index] ?? 0) >> 2,
  };
}

interface Unit {
  code: number;
  kind: number;
  depth: number;
  end: number;
}

/** The one object that is handed out again and again: a text has a million characters. */
const unit: Unit = { code: 0, kind: PLAIN, depth: 0, end: 0 };

function resolved(source: string, index: number): Unit {
  const { code, kind, end } = bare(source, index);
  return code === BACKSLASH ? behindBackslashes(source, { index, kind, end }) : as(code, kind, end);
}

/** The character at a place without a look at backslashes before it. */
function bare(source: string, index: number): Unit {
  const code = source.charCodeAt(index);
  if (code === PERCENT) return percentEncoded(source, index);
  if (code === AMPERSAND) return entity(source, index);
  return as(code, PLAIN, index + 1);
}

function as(code: number, kind: number, end: number, depth = 0): Unit {
  unit.code = code;
  unit.kind = kind;
  unit.end = end;
  unit.depth = depth;
  return unit;
}

interface Backslash {
  readonly index: number;
  readonly kind: number;
  readonly end: number;
}

/** All backslashes in a row and what they stand before are one character: which of several escapings wrote them is not known. */
function behindBackslashes(source: string, first: Backslash): Unit {
  let { end: next } = first;
  let count = 1;
  let behind = bare(source, next);
  while (behind.code === BACKSLASH) {
    count += 1;
    next = behind.end;
    behind = bare(source, next);
  }
  const { code, end } = behind;
  const kind = first.kind === ENCODED || behind.kind === ENCODED ? ENCODED : ESCAPED;
  const character = String.fromCharCode(code);
  const hex = character === 'u' ? hexAt(source, end, 4) : character === 'x' ? hexAt(source, end, 2) : null;
  if (hex !== null && hex !== BACKSLASH) return quoteOr(hex, kind, count, character === 'u' ? end + 4 : end + 2);
  if (character === '"' || character === "'" || character === '`') return quoteOr(code, kind, count, end);
  if (character === '/') return as(code, kind, end);
  const lineEnd = LINE_END[character];
  if (lineEnd !== undefined) return as(lineEnd.charCodeAt(0), kind, end);
  // A blank behind a backslash belongs to a value.
  return as(BACKSLASH, PLAIN, character === ' ' ? end : next);
}

function quoteOr(code: number, kind: number, backslashes: number, end: number): Unit {
  return as(code, kind, end, code === 34 ? jsonDepth(backslashes) : Math.min(backslashes, DEEPEST));
}

/** 0, 1, 2 for `"`, `\"`, `\\\"`; backslashes that are a part of the string before its end come in whole escapings on top. */
function jsonDepth(backslashes: number): number {
  for (let depth = 0; depth < 16; depth += 1) {
    if (backslashes % 2 ** (depth + 1) === 2 ** depth - 1) return depth;
  }
  return 16;
}

function percentEncoded(source: string, index: number): Unit {
  let next = index + 1;
  for (let layer = 0; layer < MOST_LAYERS && source.startsWith('25', next); layer += 1) next += 2;
  const code = hexAt(source, next, 2);
  return code !== null && isText(code) ? as(code, ENCODED, next + 2) : as(PERCENT, PLAIN, index + 1);
}

function isText(code: number): boolean {
  return code === 9 || code === 10 || code === 13 || (code >= 32 && code < 127);
}

function entity(source: string, index: number): Unit {
  let next = index + 1;
  for (let layer = 0; layer < MOST_LAYERS && source.startsWith('amp;', next); layer += 1) next += 4;
  for (const [name, character] of ENTITIES) {
    if (source.startsWith(name, next)) return as(character.charCodeAt(0), ENCODED, next + name.length);
  }
  const number = source[next] === '#' ? numberAt(source, next + 1) : null;
  if (number !== null) return as(number.code, ENCODED, number.end);
  return next > index + 1 ? as(AMPERSAND, ENCODED, next) : as(AMPERSAND, PLAIN, index + 1);
}

/** The character of `61;` or `x3D;`; null for one that separates nothing. */
function numberAt(source: string, start: number): { readonly code: number; readonly end: number } | null {
  const isHex = source[start] === 'x' || source[start] === 'X';
  const from = isHex ? start + 1 : start;
  const length = source.slice(from, from + LONGEST_NUMBER + 1).indexOf(';');
  const digits = source.slice(from, from + length);
  if (length < 1 || !(isHex ? /^[\da-f]+$/i : /^\d+$/).test(digits)) return null;
  const code = Number.parseInt(digits, isHex ? 16 : 10);
  return isText(code) ? { code, end: from + length + 1 } : null;
}

function hexAt(source: string, index: number, digits: number): number | null {
  let value = 0;
  for (let at = index; at < index + digits; at += 1) {
    const digit = hexDigit(source.charCodeAt(at));
    if (digit === null) return null;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(code: number): number | null {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : null;
}
