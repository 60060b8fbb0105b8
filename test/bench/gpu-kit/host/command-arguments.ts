/** What the scripts' command lines have in common. */

/** Throws the usage line unless there are at least `least` arguments. */
export function requireArguments(given: readonly string[], least: number, usage: string): void {
  if (given.length < least || given.includes('')) throw new Error(`usage: ${usage}`);
}

export function deviceArgument(text: string | undefined): 'cpu' | 'cuda' {
  if (text === 'cpu' || text === 'cuda') return text;
  throw new Error(`the device is cuda or cpu, not ${text ?? 'left out'}`);
}

/** Whole numbers above 0, between commas. */
export function countsArgument(text: string | undefined): readonly number[] {
  const counts = (text ?? '').split(',').map(Number);
  if (counts.every((count) => Number.isInteger(count) && count > 0)) return counts;
  throw new Error(`whole numbers above 0 with commas between them are expected, not ${text ?? 'nothing'}`);
}
