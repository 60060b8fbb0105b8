import { describe, expect, test } from '@jest/globals';
import {
  displayGeometry,
  displaySize,
  orientationOf,
  orientationOfTag,
  UPRIGHT,
} from '../../../../src/video/probe/display-geometry.ts';

const STORED = { width: 640, height: 360 };

const ONE = 65_536;
/** As ffprobe prints it. */
function matrix(...[a = 0, b = 0, u = 0, c = 0, d = 0, v = 0]: readonly number[]): string {
  const rows = [
    [a, b, u],
    [c, d, v],
    [0, 0, 1_073_741_824],
  ];
  return `\n${rows.map((row, at) => `0000000${at}: ${row.map((n) => String(n).padStart(12)).join('')}\n`).join('')}`;
}

describe('square pixels', () => {
  test.each([
    [1, 640, 360],
    [2, 1280, 360],
    [1 / 2, 640, 720],
    [4 / 3, 853, 360],
    [16 / 15, 683, 360],
    [4, 2560, 360],
    [1 / 4, 640, 1440],
    // Nobody means these.
    [5, 640, 360],
    [1 / 5, 640, 360],
    [0, 640, 360],
    [null, 640, 360],
  ])('pixels %p times as wide as high make it %d wide and %d high', (aspect, squareWidth, squareHeight) => {
    const geometry = displayGeometry(STORED, aspect, UPRIGHT);
    expect(geometry).toEqual({ storedWidth: 640, storedHeight: 360, squareWidth, squareHeight, ...UPRIGHT });
    expect(displaySize(geometry)).toEqual({ width: squareWidth, height: squareHeight });
  });
});

describe('orientation', () => {
  test.each([
    ['upright', matrix(ONE, 0, 0, 0, ONE), 0, false],
    ['turned by a quarter', matrix(0, ONE, 0, -ONE, 0), 90, false],
    ['turned by a half', matrix(-ONE, 0, 0, 0, -ONE), 180, false],
    ['turned by three quarters', matrix(0, -ONE, 0, ONE, 0), 270, false],
    ['mirrored', matrix(-ONE, 0, 0, 0, ONE), 0, true],
    ['upside down in a mirror', matrix(ONE, 0, 0, 0, -ONE), 180, true],
    ['with rows and columns exchanged', matrix(0, ONE, 0, ONE, 0), 270, true],
    ['with them exchanged the other way', matrix(0, -ONE, 0, -ONE, 0), 90, true],
    ['scaled and turned', matrix(0, 2 * ONE, 0, -ONE / 2, 0), 90, false],
    ['sheared, which is no turn', matrix(ONE, ONE, 0, 0, ONE), 0, false],
    ['turned by nearly a quarter', matrix(900, ONE, 0, -ONE, 900), 90, false],
  ])('a picture that is %s', (_what, text, turn, isMirrored) => {
    expect(orientationOf(text)).toEqual({ turn, isMirrored });
  });

  test.each([
    ['all zero', matrix()],
    ['flat', matrix(ONE, 0, 0, ONE, 0)],
    ['in perspective', matrix(0, ONE, 1, -ONE, 0)],
    ['cut off', matrix(0, ONE, 0, -ONE, 0).slice(0, 50)],
    ['nothing', ''],
    ['words', 'x'],
  ])('a matrix that is %s says nothing', (_what, text) => {
    expect(orientationOf(text)).toBeNull();
  });

  test.each([
    ['90', 90],
    ['-90', 270],
    ['450', 90],
    ['180', 180],
    ['0', 0],
  ])('the tag %s of an old file turns by %d', (tag, turn) => {
    expect(orientationOfTag(tag)).toEqual({ turn, isMirrored: false });
  });

  test.each([undefined, 'left'])('the tag %p turns nothing', (tag) => {
    expect(orientationOfTag(tag)).toBeNull();
  });

  test('a turned picture is shown with its sides exchanged, after its pixels were made square', () => {
    const geometry = displayGeometry(STORED, 2, { turn: 90, isMirrored: false });
    expect(geometry).toMatchObject({ squareWidth: 1280, squareHeight: 360 });
    expect(displaySize(geometry)).toEqual({ width: 360, height: 1280 });
  });
});
