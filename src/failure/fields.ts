/** A field of an error that others made, of which nothing is known; null where it is no text. */
export function textField(error: object, name: string): string | null {
  const value = (error as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : null;
}

/** What an error says: its message, else its name. Libraries write over both, and not only with texts. */
export function wordsOf(error: object): string {
  return textField(error, 'message') || textField(error, 'name') || 'an error without words';
}
