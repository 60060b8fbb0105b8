import { describe, expect, test } from '@jest/globals';
import { drawFigure } from '../../../models/demo-pack/scene/draw.ts';
import { figureOf } from '../../../models/demo-pack/scene/figure.ts';
import { ACTORS } from '../../../models/demo-pack/scene/people.ts';
import { Canvas } from '../../../models/demo-pack/scene/raster.ts';
import { FPS, HEIGHT, SECONDS, sceneAt, shortestTurn, WIDTH } from '../../../models/demo-pack/scene/scene.ts';
import { truthOfScene } from '../../../models/demo-pack/scene/truth.ts';
import { ACTION_LABELS, BODY_SIZE_LIMIT, FACE_SIZE_LIMIT } from '../../../models/demo-pack/scene/visual-code.ts';

const truth = truthOfScene();
const everyone = truth.frames.flatMap((frame) => frame.persons);

describe('the actors', () => {
  test.each(ACTORS.map((actor) => [actor.id, actor] as const))('%s moves without gaps or jumps', (_, actor) => {
    for (const [index, stretch] of actor.stretches.entries()) {
      expect(stretch.to).toBeGreaterThan(stretch.from);
      const next = actor.stretches[index + 1];
      if (next === undefined) continue;
      expect(next.from).toBe(stretch.to);
      expect([next.x[0], next.footY[0]]).toEqual([stretch.x[1], stretch.footY[1]]);
    }
  });

  test('five or more people of both genders and of different ages do all the actions', () => {
    expect(ACTORS.length).toBeGreaterThanOrEqual(5);
    expect(new Set(ACTORS.map((actor) => actor.gender)).size).toBe(2);
    expect(new Set(ACTORS.map((actor) => actor.age)).size).toBe(ACTORS.length);
    expect(new Set(truth.events.map((event) => event.action))).toEqual(new Set(ACTION_LABELS));
  });

  test('the store is empty at the beginning', () => {
    expect(sceneAt(0)).toEqual([]);
  });

  test('a turn takes the shorter way', () => {
    expect(shortestTurn(350, 10)).toBe(20);
    expect(shortestTurn(10, 350)).toBe(-20);
  });
});

describe('the truth', () => {
  test('has every frame, with times and shares in range', () => {
    expect(truth.frames.length).toBe(FPS * SECONDS);
    expect(truth.frames.map((frame) => frame.index)).toEqual(truth.frames.map((_, index) => index));
    const wrong = everyone.filter(
      ({ visible, orientation }) => visible < 0 || visible > 1 || orientation < 0 || orientation >= 360,
    );
    expect(wrong).toEqual([]);
  });

  test('knows people who are fully seen, partly hidden and wholly hidden inside the picture', () => {
    const inside = everyone.filter((person) => person.box[0] >= 0 && person.box[2] <= WIDTH);
    expect(inside.some((person) => person.visible === 1)).toBe(true);
    expect(inside.some((person) => person.visible > 0.4 && person.visible < 0.6)).toBe(true);
    expect(inside.some((person) => person.visible === 0)).toBe(true);
  });

  test('has faces that turn away', () => {
    const away = everyone.filter((person) => person.face === null);
    expect(away.length).toBeGreaterThan(0);
    expect(away.every((person) => Math.cos((person.orientation * Math.PI) / 180) >= 0.25)).toBe(true);
  });

  test('no size is over the range of the visual code', () => {
    const bodies = everyone.map(({ box }) => Math.max(box[2] - box[0], box[3] - box[1]) / WIDTH);
    const faces = everyone.flatMap(({ face }) => (face === null ? [] : [(face[3] - face[1]) / WIDTH]));
    expect(Math.max(...bodies)).toBeLessThan(BODY_SIZE_LIMIT);
    expect(Math.max(...faces)).toBeLessThan(FACE_SIZE_LIMIT);
  });

  test('its boxes are the extents of what is drawn', () => {
    const canvas = new Canvas(WIDTH, HEIGHT);
    for (const seconds of [5.6, 8, 12.6, 14.9, 17, 22]) {
      for (const person of sceneAt(seconds)) {
        const { box, ...figure } = figureOf(person);
        if (box.x1 < 0 || box.x2 > WIDTH || box.y2 > HEIGHT) continue;
        canvas.pixels.fill(255);
        drawFigure(canvas, { box, ...figure });
        const drawn = extentOf(canvas);
        for (const side of ['x1', 'y1', 'x2', 'y2'] as const) expect(Math.abs(drawn[side] - box[side])).toBeLessThan(2);
      }
    }
  });
});

function extentOf(canvas: Canvas): { x1: number; y1: number; x2: number; y2: number } {
  const extent = { x1: WIDTH, y1: HEIGHT, x2: 0, y2: 0 };
  for (let offset = 0; offset < canvas.pixels.length; offset += 3) {
    if (canvas.pixels[offset] === 255 && canvas.pixels[offset + 1] === 255) continue;
    const [x, y] = [(offset / 3) % WIDTH, Math.floor(offset / 3 / WIDTH)];
    extent.x1 = Math.min(extent.x1, x);
    extent.x2 = Math.max(extent.x2, x + 1);
    extent.y1 = Math.min(extent.y1, y);
    extent.y2 = Math.max(extent.y2, y + 1);
  }
  return extent;
}
