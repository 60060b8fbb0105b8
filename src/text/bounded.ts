/**
 * The beginning of a text, with its whole length behind it where it is longer than `most` UTF-16 units; never half of a character. The
 * note comes on top of `most`: a few tens of characters.
 */
export function bounded(text: string, most: number, wholeLength: number = text.length): string {
  if (text.length <= most && wholeLength <= text.length) return text;
  return `${headOf(text, most)}... (${wholeLength} characters)`;
}

/** The first `most` UTF-16 units, or one less where the cut would fall into a character of two. */
export function headOf(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}
