// Told apart in light and dark and by most colour-blind readers (after Okabe and Ito, with two added).
const HUES = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#8a6d3b', '#7a5cc0'] as const;
const QUIET = '#9aa3ad';

/** A fixed colour per name, in order of the list; names that say nothing happens are grey. */
export function createPalette(names: readonly string[]): (name: string | null) => string {
  const colours = new Map<string, string>();
  let next = 0;
  for (const name of names) {
    if (name === 'none' || colours.has(name)) continue;
    colours.set(name, HUES[next % HUES.length] ?? QUIET);
    next += 1;
  }
  return (name) => (name === null ? QUIET : (colours.get(name) ?? QUIET));
}
