import type { Figure } from './figure.ts';
import type { Canvas } from './raster.ts';
import type { Person } from './scene.ts';
import { drawFurniture, FURNITURE } from './store.ts';
import { OUTLINE } from './visual-code.ts';

export interface DrawnPerson {
  readonly person: Person;
  readonly figure: Figure;
}

/** Draws persons and furniture over the background, the farthest first. */
export function drawScene(canvas: Canvas, background: Canvas, people: readonly DrawnPerson[]): void {
  canvas.copyFrom(background);
  const layers = [
    ...FURNITURE.map((furniture) => ({ depth: furniture.depth, draw: () => drawFurniture(canvas, furniture) })),
    ...people.map((drawn) => ({ depth: drawn.person.footY, draw: () => drawFigure(canvas, drawn.figure) })),
  ];
  for (const layer of layers.toSorted((a, b) => a.depth - b.depth)) layer.draw();
}

export function drawFigure(canvas: Canvas, figure: Figure): void {
  for (const part of figure.parts) {
    if (part.outline > 0) canvas.shape(part.shape, OUTLINE, part.outline);
    canvas.shape(part.shape, part.paint);
  }
}
