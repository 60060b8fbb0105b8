import { drawScene } from '../../../models/demo-pack/scene/draw.ts';
import { figureOf } from '../../../models/demo-pack/scene/figure.ts';
import { Canvas } from '../../../models/demo-pack/scene/raster.ts';
import { HEIGHT, type Person, WIDTH } from '../../../models/demo-pack/scene/scene.ts';
import { drawBackground } from '../../../models/demo-pack/scene/store.ts';
import type { Box } from '../../../src/vision/box.ts';
import type { Picture } from '../../../src/vision/picture.ts';

const background = drawBackground();

/** The demo store with these people in it. */
export function pictureOf(...people: readonly Person[]): Picture {
  const canvas = new Canvas(WIDTH, HEIGHT);
  drawScene(
    canvas,
    background,
    people.map((person) => ({ person, figure: figureOf(person) })),
  );
  return canvas;
}

/** Somebody who stands in the middle of the store and faces the camera, except for what is given. */
export function somebody(given: Partial<Person> = {}): Person {
  return {
    id: 'somebody',
    age: 40,
    gender: 'female',
    x: 450,
    footY: 640,
    height: 360,
    orientation: 180,
    action: 'standing',
    stride: 0,
    lean: 0,
    pose: 1,
    ...given,
  };
}

export function boxOf(person: Person): Box {
  return figureOf(person).box;
}

export function faceOf(person: Person): Box | null {
  return figureOf(person).face;
}

export function blank(width = 1280, height = 720, level = 128): Picture {
  return { width, height, pixels: new Uint8Array(width * height * 3).fill(level) };
}
