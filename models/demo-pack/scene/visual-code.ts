/**
 * The colours by which the demo models see. The renderer paints with this code and the pack's weights read it; this is the
 * one place that defines it.
 *
 * Every part of a person belongs to a colour class in which one channel is fixed and the two others carry numbers:
 *
 * | part                  | fixed channel | first number           | second number            | read by            |
 * |-----------------------|---------------|------------------------|--------------------------|--------------------|
 * | skin (face and limbs) | red 230       | green: age             | blue: gender             | age and gender     |
 * | shirt, even stripes   | blue 230      | red: x in the body box | green: y in the body box | detection          |
 * | shirt, odd stripes    | green 230     | red: body box width    | blue: body box height    | detection          |
 * | visor (over the eyes) | green 25      | red: x in the face box | blue: face box height    | detection          |
 * | hair                  | blue 25       | red: cosine            | green: sine of the angle | orientation        |
 * | sleeves and shorts    | red 25        | green: action, column  | blue: action, row        | action, scene text |
 *
 * Numbers beside a fixed 230 use 40..190, numbers beside a fixed 25 use 70..200, so the classes stay apart by at least 25
 * levels after H.264 with 4:2:0 chroma and after scaling. Outlines are nearly black: a mixture of any class with black
 * belongs to no class, or to one only in a line of one or two pixels, which the models erode away. The background has no
 * channel above 205 or below 48 beside others in a class's range.
 */
export type Rgb = readonly [number, number, number];

export interface Range {
  readonly low: number;
  readonly high: number;
}

export const BRIGHT = 230;
export const DARK = 25;
export const BRIGHT_RANGE: Range = { low: 40, high: 190 };
export const DARK_RANGE: Range = { low: 70, high: 200 };

/** Years at the two ends of the skin's green channel. */
export const AGE_RANGE: Range = { low: 0, high: 95 };
export const GENDER_LEVEL = { male: 60, female: 150 } as const;
/** Width and height of a body box, as shares of the picture's width, at the end of the range (the other end is 0). */
export const BODY_SIZE_LIMIT = 0.36;
/** Height of a face box, as a share of the picture's width, at the end of the range. */
export const FACE_SIZE_LIMIT = 0.1;
/** Width of a face box as a multiple of its height. */
export const FACE_ASPECT = 0.92;

/** The seven labels of the action vocabulary, in the order of the pack. */
export const ACTION_LABELS = ['sitting', 'falling', 'grabbing', 'paying', 'standing', 'walking', 'none'] as const;
export type ActionLabel = (typeof ACTION_LABELS)[number];

/**
 * Green and blue of the sleeves and shorts: seven of nine places of a grid with a pitch of 60 levels. A colour that a dark line
 * darkens moves towards the place of "none", which no sentence mentions.
 */
export const ACTION_LEVELS: Readonly<Record<ActionLabel, readonly [number, number]>> = {
  sitting: [135, 135],
  falling: [195, 75],
  grabbing: [75, 195],
  paying: [195, 195],
  standing: [75, 135],
  walking: [195, 135],
  none: [75, 75],
};

export const OUTLINE: Rgb = [22, 22, 24];

/** The level for a share 0..1 of a range, clipped to it. */
export function toLevel(share: number, range: Range): number {
  const within = share < 0 ? 0 : share > 1 ? 1 : share;
  return (range.low + within * (range.high - range.low) + 0.5) | 0;
}

export function skinColour(age: number, gender: keyof typeof GENDER_LEVEL): Rgb {
  const share = (age - AGE_RANGE.low) / (AGE_RANGE.high - AGE_RANGE.low);
  return [BRIGHT, toLevel(share, BRIGHT_RANGE), GENDER_LEVEL[gender]];
}

/** `degrees`: 0 back to the camera, 90 image-left, 180 towards the camera, 270 image-right. */
export function hairColour(degrees: number): Rgb {
  const angle = (degrees * Math.PI) / 180;
  return [toLevel((1 + Math.cos(angle)) / 2, DARK_RANGE), toLevel((1 + Math.sin(angle)) / 2, DARK_RANGE), DARK];
}

export function actionColour(label: ActionLabel): Rgb {
  return [DARK, ...ACTION_LEVELS[label]];
}

/** `x` and `y`: the place of the painted pixel in the body box, 0..1 from its left and upper edge. */
export function placeColour(x: number, y: number): Rgb {
  return [toLevel(x, BRIGHT_RANGE), toLevel(y, BRIGHT_RANGE), BRIGHT];
}

/** `width` and `height` of the body box as shares of the picture's width. */
export function sizeColour(width: number, height: number): Rgb {
  return [toLevel(width / BODY_SIZE_LIMIT, BRIGHT_RANGE), BRIGHT, toLevel(height / BODY_SIZE_LIMIT, BRIGHT_RANGE)];
}

/** `x`: the place of the painted pixel in the face box, 0..1; `height` of the face box as a share of the picture's width. */
export function visorColour(x: number, height: number): Rgb {
  return [toLevel(x, DARK_RANGE), DARK, toLevel(height / FACE_SIZE_LIMIT, DARK_RANGE)];
}
