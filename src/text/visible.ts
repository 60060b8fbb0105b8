/** What moves a terminal's cursor, colours it or turns its text around: an object's key may hold it. */
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** The same without what JSON itself writes between its parts, and what it escapes already. */
const STEERING_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A text on one line, with each control character and each one that turns the direction of writing as `\uXXXX`. */
export function visible(text: string): string {
  return text.replaceAll(STEERING, escaped);
}

/** JSON that says the same and steers no terminal: what `JSON.stringify` leaves as it is stands as `\uXXXX`. */
export function visibleJson(json: string): string {
  return json.replaceAll(STEERING_IN_JSON, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
