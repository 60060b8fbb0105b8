import { createHash } from 'node:crypto';
import type { ActionEvent } from './video-analysis.ts';

/** What the keys of all highlight images begin with. */
export const HIGHLIGHTS_PREFIX = 'highlights/';

/** As long as a file name may be: whoever copies the bucket to a disk gets every folder. A key has 1,024 bytes, which leaves room for both. */
const MAX_FOLDER = 255;
const KEPT_OF_LONG = 180;
const MAX_LABEL = 80;

/**
 * The folder of a video's highlight images, in printable ASCII and at most 255 bytes for any id of the backend: the id, percent-encoded.
 * One that is longer is cut and gets the hash of the whole, so that no two ids share a folder; so does one that a path would not leave as
 * it is (`.`, `..`), that is no well-formed text, or that looks like the folder of another.
 */
export function highlightFolder(videoId: string): string {
  const encoded = encodeURIComponent(videoId.toWellFormed());
  const isKept =
    encoded.length <= MAX_FOLDER && videoId.isWellFormed() && !/^\.*$/.test(encoded) && !/~[0-9a-f]{64}$/.test(encoded);
  if (isKept) return encoded;
  const hash = createHash('sha256').update(JSON.stringify(videoId)).digest('hex');
  // Not in the middle of a percent sign's digits, nor as a name that a path treats as its own.
  const beginning = encoded.slice(0, KEPT_OF_LONG).replace(/%[0-9A-F]?$/, '');
  return `${/^\.*$/.test(beginning) ? 'id' : beginning}~${hash}`;
}

/**
 * The keys of the highlight images of events, in the order of the events: `highlights/{folder}/{seconds}s_{action}.jpg` with one decimal;
 * the second and later events of one action in the same tenth of a second get `_2`, `_3`, ... before the ending. `others` are keys that
 * other images have.
 */
export function highlightKeys(
  folder: string,
  events: readonly Pick<ActionEvent, 'type' | 'startSeconds'>[],
  others: readonly string[] = [],
): readonly string[] {
  const counts = new Map<string, number>();
  const taken = new Set(others);
  return events.map(({ type, startSeconds }) => {
    const stem = `${startSeconds.toFixed(1)}s_${safeName(type)}`;
    let key: string;
    let count = counts.get(stem) ?? 0;
    do {
      count += 1;
      const name = count === 1 ? `${stem}.jpg` : `${stem}_${count}.jpg`;
      key = `${HIGHLIGHTS_PREFIX}${folder}/${name}`;
      // An action may itself be called `falling_2`.
    } while (taken.has(key));
    counts.set(stem, count);
    taken.add(key);
    return key;
  });
}

/** A label as part of a file name: letters, digits, `-` and `_` only. */
function safeName(label: string): string {
  const name = label.replaceAll(/[^\p{L}\p{N}_-]+/gu, '-');
  // By characters: half of one is no text.
  return Array.from(name).slice(0, MAX_LABEL).join('') || 'action';
}
