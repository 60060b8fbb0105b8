/**
 * A field of an error that others made, of which nothing is known; null where it is no text. It may be made when it is asked for, as a stack
 * is, and throw.
 */
export function textField(error: object, name: string): string | null {
  try {
    const value = (error as Readonly<Record<string, unknown>>)[name];
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** The code of whatever was thrown, such as the `ENOENT` of the system; null where it has none. */
export function codeOf(thrown: unknown): string | null {
  return typeof thrown === 'object' && thrown !== null ? textField(thrown, 'code') : null;
}

/** What an error says: its message, else its name. Libraries write over both, and not only with texts. */
export function wordsOf(error: object): string {
  return textField(error, 'message') || textField(error, 'name') || 'an error without words';
}
