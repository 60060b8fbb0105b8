import { z } from 'zod';
import { Failure } from '../failure/failure.ts';
import type { Box } from '../vision/box.ts';
import { boxCentre, insideShare } from './box-geometry.ts';

const share = z.number().min(0).max(1);
const area = z
  .strictObject({ x1: share, y1: share, x2: share, y2: share })
  .refine((box) => box.x1 < box.x2 && box.y1 < box.y2, { message: 'x1 < x2 and y1 < y2 are required' });

const zonePlan = z.strictObject({
  /** A person stands in the first zone that holds the box's centre. */
  zones: z.array(z.strictObject({ name: z.string().min(1), area })).default([]),
  /** Goes before the zones: most of the person inside the area, and turned to it. */
  counter: z
    .strictObject({
      name: z.string().min(1).default('counter'),
      area,
      minInside: share.default(0.8),
      facing: z.strictObject({
        /** Body orientation of someone who faces the counter: 0 back to the camera, 90 image-left, 180 to the camera. */
        degrees: z.number().min(0).lt(360),
        tolerance: z.number().min(0).max(180).default(60),
      }),
    })
    .nullable()
    .default(null),
});

/** Named places of one camera's picture, in shares of its width and height. */
export type ZonePlan = z.output<typeof zonePlan>;

/** Left, centre and right thirds: what a camera without a plan can still tell. */
export const THIRDS: ZonePlan = {
  zones: [
    { name: 'left', area: { x1: 0, y1: 0, x2: 1 / 3, y2: 1 } },
    { name: 'centre', area: { x1: 1 / 3, y1: 0, x2: 2 / 3, y2: 1 } },
    { name: 'right', area: { x1: 2 / 3, y1: 0, x2: 1, y2: 1 } },
  ],
  counter: null,
};

/** Reads the text of a zones file (JSON). Throws `Failure('CONFIG_INVALID')` that names the file and every wrong field. */
export function parseZonePlan(text: string, file: string): ZonePlan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `zones file ${file} is not JSON: expected { "zones": [...], "counter": ... }`, {
      cause: error,
    });
  }
  const parsed = zonePlan.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
    throw new Failure('CONFIG_INVALID', `zones file ${file} is not valid: ${problems.join('; ')}`);
  }
  return parsed.data;
}

/** Smallest angle between two directions in degrees, 0..180. */
export function angleBetween(a: number, b: number): number {
  const difference = Math.abs(a - b) % 360;
  return difference > 180 ? 360 - difference : difference;
}

/** The zone of a person (pixels of a width x height picture); the counter needs a known orientation. */
export function zoneOf(
  plan: ZonePlan,
  box: Box,
  orientation: number | null,
  picture: { readonly width: number; readonly height: number },
): string | null {
  const { counter } = plan;
  if (counter !== null && orientation !== null) {
    const inside = insideShare(box, scaled(counter.area, picture)) >= counter.minInside;
    if (inside && angleBetween(orientation, counter.facing.degrees) <= counter.facing.tolerance) return counter.name;
  }
  const centre = boxCentre(box);
  const x = centre.x / picture.width;
  const y = centre.y / picture.height;
  const zone = plan.zones.find(({ area: a }) => x >= a.x1 && x < a.x2 && y >= a.y1 && y < a.y2);
  return zone?.name ?? null;
}

function scaled(box: Box, picture: { readonly width: number; readonly height: number }): Box {
  return {
    x1: box.x1 * picture.width,
    y1: box.y1 * picture.height,
    x2: box.x2 * picture.width,
    y2: box.y2 * picture.height,
  };
}
