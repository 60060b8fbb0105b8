/** How stored pictures become the picture that a player shows; decided once per video, from its first decoded frames. */
export interface DisplayGeometry {
  /** Size of the first decoded frame. */
  readonly storedWidth: number;
  readonly storedHeight: number;
  /** Its size with square pixels, before it is turned. No side is smaller than the stored one. */
  readonly squareWidth: number;
  readonly squareHeight: number;
  /** Clockwise degrees by which it is turned after that. */
  readonly turn: 0 | 90 | 180 | 270;
  /** True when left and right change places before it is turned. */
  readonly isMirrored: boolean;
}

export type Orientation = Pick<DisplayGeometry, 'turn' | 'isMirrored'>;

export const UPRIGHT: Orientation = { turn: 0, isMirrored: false };

/** Pixels that are wider or higher than this are a mistake of the recorder, not a shape that anybody films in. */
const MAX_ASPECT = 4;

/** The geometry of a picture of the stored size, whose pixels are `sampleAspect` times as wide as high; null where nothing is told. */
export function displayGeometry(
  stored: { readonly width: number; readonly height: number },
  sampleAspect: number | null,
  orientation: Orientation,
): DisplayGeometry {
  const isPlausible = sampleAspect !== null && sampleAspect >= 1 / MAX_ASPECT && sampleAspect <= MAX_ASPECT;
  const aspect = isPlausible ? sampleAspect : 1;
  return {
    storedWidth: stored.width,
    storedHeight: stored.height,
    // As players do: the smaller side grows, so that no detail of the picture is lost.
    squareWidth: aspect > 1 ? Math.round(stored.width * aspect) : stored.width,
    squareHeight: aspect < 1 ? Math.round(stored.height / aspect) : stored.height,
    ...orientation,
  };
}

/** Width and height of the picture that a player shows. */
export function displaySize({ squareWidth, squareHeight, turn }: DisplayGeometry): {
  readonly width: number;
  readonly height: number;
} {
  return turn === 90 || turn === 270
    ? { width: squareHeight, height: squareWidth }
    : { width: squareWidth, height: squareHeight };
}

/**
 * The orientation of a display matrix as ffprobe prints it: lines of an address and three numbers. The matrix takes the stored x and y
 * (rightwards, downwards) to those of the display: x' = a x + c y, y' = b x + d y (ISO/IEC 14496-12, 6.2.2). Angles between the four
 * are turned to the next of them, as players do. The pictures of H.264 and HEVC say it as flips and then a turn anticlockwise (the
 * display orientation message), those of MJPEG as one of EXIF's eight orientations: ffmpeg gives all of them this form. Null for a
 * matrix that says nothing, or a perspective.
 */
export function orientationOf(displayMatrix: string): Orientation | null {
  const numbers = displayMatrix.split('\n').flatMap((line) =>
    line
      .replace(/^[^:]*:/, '')
      .trim()
      .split(/\s+/),
  );
  const [a, b, u, c, d, v] = numbers.filter((text) => text !== '').map(Number);
  if (a === undefined || b === undefined || c === undefined || d === undefined || u !== 0 || v !== 0) return null;
  const determinant = a * d - b * c;
  if (!Number.isFinite(determinant) || determinant === 0) return null;
  const isMirrored = determinant < 0;
  // Each side of the display may be scaled by itself, which is no turn. A mirrored matrix is a turn after left and right have changed
  // places: where the stored x axis points to is then turned about.
  const sign = isMirrored ? -1 : 1;
  const angle = Math.atan2((sign * b) / Math.hypot(b, d), (sign * a) / Math.hypot(a, c));
  return { turn: quarterOf((angle * 180) / Math.PI), isMirrored };
}

/** Clockwise degrees of the older `rotate` tag. */
export function orientationOfTag(rotate: string | undefined): Orientation | null {
  const degrees = Number(rotate ?? Number.NaN);
  return Number.isFinite(degrees) ? { turn: quarterOf(degrees), isMirrored: false } : null;
}

function quarterOf(degrees: number): DisplayGeometry['turn'] {
  const quarters = ((Math.round(degrees / 90) % 4) + 4) % 4;
  return ([0, 90, 180, 270] as const)[quarters] ?? 0;
}
