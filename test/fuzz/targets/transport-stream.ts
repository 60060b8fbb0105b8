import { nullPacketsIn } from '../../../src/video/probe/null-packets.ts';
import { pictureBegins } from '../../../src/video/probe/stray-video.ts';
import { must, type Target } from '../engine/target.ts';

const PACKET_BYTES = 188;
const MAX_PID = 0x1fff;

/** What lies behind the last packet that ffprobe knows of a transport stream. */
export const target: Target = {
  covers: ['null-packets.ts', 'stray-video.ts'],
  maxBytes: 1 << 18,
  form: 'bytes',
  words: ['G', 'G\x1f', 'G\x40', '\x10', '\x30', '\0\0\x01', '\0\0\x01\x60', '\x80'],
  check: (input) => {
    const padding = nullPacketsIn(input);
    must(padding * PACKET_BYTES < input.length + PACKET_BYTES, 'more padding than bytes');
    let last = -1;
    for (const { at, pid } of pictureBegins(input)) {
      must(at > last && at + PACKET_BYTES <= input.length, 'a picture begins twice, or outside');
      must(pid >= 0 && pid <= MAX_PID, `a stream of the number ${pid}`);
      last = at;
    }
  },
};
