import { firstFrameIn } from '../../../src/video/probe/look.ts';
import { orientationOf } from '../../../src/video/probe/display-geometry.ts';
import { must, type Target } from '../engine/target.ts';

/** The first decoded frame in the compact form of ffprobe, with what a file says beside its pictures. */
export const target: Target = {
  covers: ['look.ts', 'display-geometry.ts'],
  maxBytes: 1 << 18,
  form: 'text',
  words: [
    'frame|',
    '\nframe|',
    'width=',
    'height=',
    'displaymatrix=',
    'side_datum/3x3_displaymatrix:',
    '|',
    String.raw`\n`,
  ],
  check: (input) => {
    const frame = firstFrameIn(input.toString());
    if (frame === null) return;
    must((frame.width ?? 0) > 0 && (frame.height ?? 0) > 0, 'a frame has no size');
    for (const { displaymatrix } of frame.side_data_list ?? []) orientationOf(displaymatrix ?? '');
  },
};
