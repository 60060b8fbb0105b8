import { readlink } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';

/** What a path leads through. All places are real ones: no link and no step back leads to them. */
export interface Way {
  readonly links: readonly (readonly [place: string, target: string])[];
  /** Folders that it goes back out of. */
  readonly folders: readonly string[];
  readonly end: string;
}

/** As many as the kernel follows. */
const MOST_LINKS = 40;

/** Follows an absolute path; what is not there leads no further, and is no error. */
export async function wayTo(path: string): Promise<Way> {
  const links: [place: string, target: string][] = [];
  const folders: string[] = [];
  const names = path.split(sep);
  let place: string = sep;
  while (names.length > 0) {
    const name = names.shift() ?? '';
    const next = join(place, name);
    if (name === '..') folders.push(place);
    const target =
      links.length < MOST_LINKS && !['', '.', '..'].includes(name) ? await readlink(next).catch(() => null) : null;
    if (target === null) {
      place = next;
      continue;
    }
    links.push([next, target]);
    if (isAbsolute(target)) place = sep;
    names.unshift(...target.split(sep));
  }
  return { links, folders, end: place };
}
