const NAME = table(/[A-Za-z0-9_.$-]/);
const ALPHANUMERIC = table(/[A-Za-z0-9]/);

/** One byte for each character of ASCII: 1 where the pattern knows it. */
export function table(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}

/** Whether a table holds the character at a place; false beyond the end. */
export function isAt(known: Uint8Array, text: string, index: number): boolean {
  return known[text.charCodeAt(index)] === 1;
}

export function isNameAt(text: string, index: number): boolean {
  return isAt(NAME, text, index);
}

export function isAlphanumericAt(text: string, index: number): boolean {
  return isAt(ALPHANUMERIC, text, index);
}

/** Where the row of characters of a table ends that begins at a place, at most `most` further. */
export function runEnd(known: Uint8Array, text: string, start: number, most = Infinity): number {
  let end = start;
  while (end - start < most && isAt(known, text, end)) end += 1;
  return end;
}

export function nameEnd(text: string, start: number, most = Infinity): number {
  return runEnd(NAME, text, start, most);
}

/** True at the end of the text as well. */
export function isBlankAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return Number.isNaN(code) || code <= 32 || code === 0xa0 || code === 0x2028 || code === 0x2029 || code === 0x3000;
}

/** True at the end of the text as well. */
export function isLineEndAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return Number.isNaN(code) || (code >= 10 && code <= 13) || code === 0x2028 || code === 0x2029;
}

export function isQuoteAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 34 || code === 39 || code === 96;
}

/** Past blanks that are no line end, at most `most` of them. */
export function pastBlanks(text: string, start: number, most = 64): number {
  let index = start;
  while (index - start < most && isBlankAt(text, index) && !isLineEndAt(text, index)) index += 1;
  return index;
}

/** The same, and past one line end with what the next line is indented by. */
export function pastSpace(text: string, start: number): number {
  let index = pastBlanks(text, start);
  if (text[index] === '\r') index += 1;
  return text[index] === '\n' ? pastBlanks(text, index + 1) : index;
}

/** In lower case as far as ASCII goes, so that no place moves. */
export function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (row) => row.toLowerCase());
}
