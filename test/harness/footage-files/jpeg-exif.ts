/** A JPEG that says, in EXIF, how it is to be shown: 1 upright, 3 upside down, 6 turned clockwise, 8 counterclockwise, 2, 4, 5, 7 mirrored. */
export function withExifOrientation(jpeg: Buffer, orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

/** How a player shows a picture of an EXIF orientation: mirrored, left against right, and then turned clockwise. */
export const EXIF_ORIENTATIONS: readonly (readonly [orientation: number, turn: number, isMirrored: boolean])[] = [
  [1, 0, false],
  [2, 0, true],
  [3, 180, false],
  [4, 180, true],
  [5, 270, true],
  [6, 90, false],
  [7, 90, true],
  [8, 270, false],
];
