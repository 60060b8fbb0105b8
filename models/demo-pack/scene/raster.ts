import type { Rgb } from './visual-code.ts';

/** A flat or computed colour; the function is asked per pixel with the pixel's centre. */
export type Paint = Rgb | ((x: number, y: number) => Rgb);

export interface Capsule {
  readonly kind: 'capsule';
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly radius: number;
}

export interface Ellipse {
  readonly kind: 'ellipse';
  readonly x: number;
  readonly y: number;
  readonly radiusX: number;
  readonly radiusY: number;
  /** Radians, clockwise on the screen. */
  readonly angle: number;
}

/** A convex polygon, clockwise on the screen. */
export interface Polygon {
  readonly kind: 'polygon';
  readonly points: readonly (readonly [number, number])[];
}

export type Shape = Capsule | Ellipse | Polygon;

export interface Extent {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** The bounding box of a shape that is `grow` pixels larger on every side. */
export function extentOf(shape: Shape, grow: number): Extent {
  if (shape.kind === 'capsule') {
    const reach = shape.radius + grow;
    return {
      x1: Math.min(shape.x1, shape.x2) - reach,
      y1: Math.min(shape.y1, shape.y2) - reach,
      x2: Math.max(shape.x1, shape.x2) + reach,
      y2: Math.max(shape.y1, shape.y2) + reach,
    };
  }
  if (shape.kind === 'ellipse') {
    const [cos, sin] = [Math.cos(shape.angle), Math.sin(shape.angle)];
    const reachX = Math.hypot((shape.radiusX + grow) * cos, (shape.radiusY + grow) * sin);
    const reachY = Math.hypot((shape.radiusX + grow) * sin, (shape.radiusY + grow) * cos);
    return { x1: shape.x - reachX, y1: shape.y - reachY, x2: shape.x + reachX, y2: shape.y + reachY };
  }
  const xs = shape.points.map((point) => point[0]);
  const ys = shape.points.map((point) => point[1]);
  return {
    x1: Math.min(...xs) - grow,
    y1: Math.min(...ys) - grow,
    x2: Math.max(...xs) + grow,
    y2: Math.max(...ys) + grow,
  };
}

/** A predicate for "inside the shape grown by `grow` pixels"; a shape's constants are computed once. */
export function insideOf(shape: Shape, grow: number): (x: number, y: number) => boolean {
  if (shape.kind === 'capsule') {
    const { x1, y1 } = shape;
    const [dx, dy] = [shape.x2 - x1, shape.y2 - y1];
    const inverse = 1 / Math.max(dx * dx + dy * dy, 1e-9);
    const limit = (shape.radius + grow) ** 2;
    return (x, y) => {
      const projected = ((x - x1) * dx + (y - y1) * dy) * inverse;
      const along = projected < 0 ? 0 : projected > 1 ? 1 : projected;
      const ex = x - x1 - along * dx;
      const ey = y - y1 - along * dy;
      return ex * ex + ey * ey <= limit;
    };
  }
  if (shape.kind === 'ellipse') {
    const [cos, sin] = [Math.cos(shape.angle), Math.sin(shape.angle)];
    const [scaleX, scaleY] = [1 / (shape.radiusX + grow), 1 / (shape.radiusY + grow)];
    return (x, y) => {
      const dx = x - shape.x;
      const dy = y - shape.y;
      const along = (dx * cos + dy * sin) * scaleX;
      const across = (dy * cos - dx * sin) * scaleY;
      return along * along + across * across <= 1;
    };
  }
  const edges = shape.points.map((from, index) => {
    const to = shape.points[(index + 1) % shape.points.length] ?? from;
    const length = Math.max(Math.hypot(to[0] - from[0], to[1] - from[1]), 1e-9);
    const normal = [-(to[1] - from[1]) / length, (to[0] - from[0]) / length] as const;
    return { a: normal[0], b: normal[1], least: normal[0] * from[0] + normal[1] * from[1] - grow };
  });
  return (x, y) => {
    for (const edge of edges) {
      if (edge.a * x + edge.b * y < edge.least) return false;
    }
    return true;
  };
}

/** An RGB picture to draw on. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3);
  }

  copyFrom(other: Canvas): void {
    this.pixels.set(other.pixels);
  }

  rectangle(x1: number, y1: number, x2: number, y2: number, colour: Rgb): void {
    const [left, right] = [Math.max(0, x1), Math.min(this.width, x2)];
    const [top, bottom] = [Math.max(0, y1), Math.min(this.height, y2)];
    if (right <= left || bottom <= top) return;
    for (let x = left; x < right; x++) this.#set(x, top, colour);
    const first = (top * this.width + left) * 3;
    const length = (right - left) * 3;
    for (let y = top + 1; y < bottom; y++) {
      this.pixels.copyWithin((y * this.width + left) * 3, first, first + length);
    }
  }

  /** Fills a shape, grown by `grow` pixels. Every shape is convex, so each row of it is one run of pixels. */
  shape(shape: Shape, paint: Paint, grow = 0): void {
    const inside = insideOf(shape, grow);
    const extent = extentOf(shape, grow);
    const [left, right] = [Math.max(0, Math.floor(extent.x1)), Math.min(this.width, Math.ceil(extent.x2))];
    const [top, bottom] = [Math.max(0, Math.floor(extent.y1)), Math.min(this.height, Math.ceil(extent.y2))];
    for (let y = top; y < bottom; y++) {
      let from = left;
      let to = right;
      while (from < to && !inside(from + 0.5, y + 0.5)) from++;
      while (to > from && !inside(to - 0.5, y + 0.5)) to--;
      this.#fillRow(y, from, to, paint);
    }
  }

  #fillRow(y: number, from: number, to: number, paint: Paint): void {
    if (typeof paint === 'function') {
      for (let x = from; x < to; x++) this.#set(x, y, paint(x + 0.5, y + 0.5));
      return;
    }
    const { pixels } = this;
    const red = paint[0];
    const green = paint[1];
    const blue = paint[2];
    const end = (y * this.width + to) * 3;
    for (let offset = (y * this.width + from) * 3; offset < end; offset += 3) {
      pixels[offset] = red;
      pixels[offset + 1] = green;
      pixels[offset + 2] = blue;
    }
  }

  #set(x: number, y: number, colour: Rgb): void {
    const offset = (y * this.width + x) * 3;
    this.pixels[offset] = colour[0];
    this.pixels[offset + 1] = colour[1];
    this.pixels[offset + 2] = colour[2];
  }
}
