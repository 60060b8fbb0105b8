/** 8-bit RGB, row-major, interleaved (HWC): `pixels.length === width * height * 3`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}
