/** The deepest known form of message has ten. A hundred thousand levels cost the parser most of all that it may be sent. */
export const MAX_DEPTH = 200;

const QUOTE = 34;
const BACKSLASH = 92;

/** Whether arrays and objects of a JSON text are nested deeper than so many levels, without parsing it: in one pass, up to the first too many. */
export function isDeeperThan(json: string, levels: number): boolean {
  let depth = 0;
  for (let index = 0; index < json.length; index += 1) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) index = stringEnd(json, index);
    // Both kinds of brackets differ in one bit: [ and {, ] and }.
    else if ((code | 32) === 123) depth += 1;
    else if ((code | 32) === 125) depth -= 1;
    if (depth > levels) return true;
  }
  return false;
}

/** The quote that ends the string which begins there; the end of the text where none does. */
function stringEnd(json: string, start: number): number {
  let index = start + 1;
  while (index < json.length && json.charCodeAt(index) !== QUOTE) {
    index += json.charCodeAt(index) === BACKSLASH ? 2 : 1;
  }
  return index;
}
