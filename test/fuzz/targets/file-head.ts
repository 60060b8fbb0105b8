import { beginsWithBox, photoKind } from '../../../src/video/probe/file-head.ts';
import { must, type Target } from '../engine/target.ts';

/** The first bytes of a file, by which photos are told from videos. */
export const target: Target = {
  covers: ['file-head.ts'],
  maxBytes: 4_096,
  form: 'bytes',
  words: [
    'ftyp',
    'heic',
    'avif',
    'mif1',
    'hevc',
    'free',
    'skip',
    'wide',
    'uuid',
    'moov',
    '\0\0\0\x08',
    '\0\0\0\0',
    'RIFF',
    'WEBP',
    'isom',
  ],
  check: (input) => {
    const kind = photoKind(input);
    must(kind === null || kind.name !== '', 'a photo of no kind');
    if (kind?.isSure === false) must(input.includes('ftyp'), 'a row of pictures without its brand');
    beginsWithBox(input);
  },
};
