/** How the scripts tell what they have measured: one JSON object a line, written at once, so that a script that is ended loses nothing. */

export function printLine(facts: object): void {
  console.log(JSON.stringify(facts));
}

/** The beginning of what an error says, for a line that stands in the place of a measurement. */
export function errorText(error: unknown, most = 1_500): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, most);
}
