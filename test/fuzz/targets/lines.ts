import { isDeepStrictEqual } from 'node:util';
import { LineSplitter } from '../../../src/video/tools/last-words.ts';
import { must, type Target } from '../engine/target.ts';

const MAX_LINE = 4_096;

/** The output of a tool, in the pieces in which a pipe happens to hand it over: the first byte says how long they are. */
export const target: Target = {
  covers: ['last-words.ts'],
  maxBytes: 1 << 18,
  form: 'text',
  words: ['\r\n', '\n', '\r', '\r\r\n', '\n\r'],
  check: (input) => {
    const length = 1 + (input[0] ?? 0) * 16;
    const text = input.subarray(1).toString();
    const whole = linesOf([text]);
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += length) pieces.push(text.slice(at, at + length));
    const parts = linesOf(pieces);
    const longest = whole.reduce((most, line) => Math.max(most, line.length), 0);
    if (longest <= MAX_LINE) must(isDeepStrictEqual(parts, whole), 'the lines hang on how the pipe cut them');
    must(
      parts.every((line) => line.length <= MAX_LINE + length),
      'a line has no end',
    );
    must(
      parts.every((line) => !/[\r\n]/.test(line)),
      'a line has an end in it',
    );
  },
};

/** Without the empty ones, which every reader passes over: a pipe may cut between the two characters that end a line. */
function linesOf(pieces: readonly string[]): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) splitter.push(piece);
  splitter.end();
  return lines.filter((line) => line !== '');
}
