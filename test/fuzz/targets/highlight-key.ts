import { highlightFolder, HIGHLIGHTS_PREFIX, highlightKeys } from '../../../src/analysis/highlight-keys.ts';
import { must, type Target } from '../engine/target.ts';

const MAX_KEY_BYTES = 1_024;
const MAX_NAME_BYTES = 255;

/** The id of a video and the label of an action, a line for each: both are parts of the key of a picture. */
export const target: Target = {
  covers: ['analysis/highlight-keys.ts'],
  maxBytes: 1 << 14,
  form: 'text',
  words: [
    '..',
    '.',
    '/',
    '%',
    '%2F',
    '~',
    `~${'0'.repeat(64)}`,
    '\u{1F3AC}',
    '가'.repeat(80),
    '\0',
    'highlights/',
    '_2',
  ],
  check: (input) => {
    const [id = '', label = ''] = input.toString().replaceAll('\uFFFD', '\uD83C').split('\n', 2);
    if (id === '') return;
    const folder = highlightFolder(id);
    const events = [label, label, `${label}_2`].map((type) => ({ type, startSeconds: 1.44 }));
    const keys = highlightKeys(folder, events);
    must(new Set(keys).size === keys.length, 'two pictures have one key');
    for (const key of keys) {
      must(Buffer.byteLength(key) <= MAX_KEY_BYTES, `a key has ${Buffer.byteLength(key)} bytes`);
      must(key.startsWith(HIGHLIGHTS_PREFIX) && key.isWellFormed(), 'a key is no text, or lies elsewhere');
      const parts = key.split('/');
      must(parts.length === 3, 'an id or a label makes a folder of its own');
      must(
        !parts.some((part) => /^\.*$/.test(part) || /[\p{Cc}\\]/u.test(part)),
        'a path does not leave a key as it is',
      );
      must(
        parts.every((part) => Buffer.byteLength(part) <= MAX_NAME_BYTES + 100),
        'a part is too long for a file',
      );
    }
    // One that goes into the folder of another would overwrite its pictures.
    must(highlightFolder(`${id}x`) !== folder && highlightFolder(id) === folder, 'two ids share a folder');
  },
};
