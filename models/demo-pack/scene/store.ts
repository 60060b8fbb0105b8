import { Canvas } from './raster.ts';
import { HEIGHT, WIDTH } from './scene.ts';
import type { Rgb } from './visual-code.ts';

/** A thing that stands in the store and hides what is behind it: `depth` is its floor line. */
export interface Furniture {
  readonly name: string;
  readonly depth: number;
  readonly blocks: readonly Block[];
}

/** x1, y1, x2, y2 and the colour. */
export type Block = readonly [number, number, number, number, Rgb];

const GREY: Rgb = [124, 126, 130];
const DARK_GREY: Rgb = [92, 92, 96];
const GOODS: readonly Rgb[] = [
  [148, 130, 122],
  [122, 138, 128],
  [130, 132, 150],
  [156, 150, 128],
  [112, 124, 134],
];

export const FURNITURE: readonly Furniture[] = [
  { name: 'shelf', depth: 560, blocks: shelfBlocks(300, 395, 560, 560) },
  {
    name: 'counter',
    depth: 575,
    blocks: [
      [880, 450, 1235, 575, [134, 124, 118]],
      [870, 438, 1245, 452, [96, 90, 88]],
      [900, 470, 1215, 474, [112, 104, 100]],
      [1128, 384, 1196, 440, DARK_GREY],
      [1134, 390, 1190, 426, [150, 172, 162]],
    ],
  },
  {
    name: 'pillar',
    depth: 590,
    blocks: [
      [640, 60, 770, 590, [160, 160, 164]],
      [640, 575, 770, 590, GREY],
    ],
  },
];

export interface Zone {
  readonly name: string;
  /** Corners in pixels. */
  readonly polygon: readonly (readonly [number, number])[];
}

/** Areas of the floor that events refer to; a person is in a zone when the middle of the box's lower edge is. */
export const ZONES: readonly Zone[] = [
  {
    name: 'entrance',
    polygon: [
      [0, 440],
      [130, 440],
      [130, 720],
      [0, 720],
    ],
  },
  {
    name: 'shelf',
    polygon: [
      [280, 560],
      [600, 560],
      [600, 640],
      [280, 640],
    ],
  },
  {
    name: 'checkout',
    polygon: [
      [860, 560],
      [1240, 560],
      [1240, 640],
      [860, 640],
    ],
  },
  {
    name: 'bench',
    polygon: [
      [100, 640],
      [280, 640],
      [280, 720],
      [100, 720],
    ],
  },
];

/** The store without people and without what hides them. */
export function drawBackground(): Canvas {
  const canvas = new Canvas(WIDTH, HEIGHT);
  canvas.rectangle(0, 0, WIDTH, 440, [186, 188, 190]);
  canvas.rectangle(0, 0, WIDTH, 60, [166, 168, 170]);
  for (let x = 80; x < WIDTH; x += 240) canvas.rectangle(x, 22, x + 130, 36, [200, 200, 198]);
  canvas.rectangle(0, 440, WIDTH, HEIGHT, [152, 150, 148]);
  for (let y = 470; y < HEIGHT; y += 50) canvas.rectangle(0, y, WIDTH, y + 2, [142, 140, 138]);
  for (let x = 40; x < WIDTH; x += 120) canvas.rectangle(x, 440, x + 2, HEIGHT, [144, 142, 140]);
  canvas.rectangle(0, 434, WIDTH, 440, GREY);
  canvas.rectangle(14, 150, 124, 440, DARK_GREY);
  canvas.rectangle(22, 160, 116, 440, [158, 170, 176]);
  canvas.rectangle(102, 300, 110, 326, GREY);
  for (const block of shelfBlocks(800, 120, 1230, 330)) canvas.rectangle(...block);
  for (const block of shelfBlocks(180, 130, 600, 340)) canvas.rectangle(...block);
  canvas.rectangle(110, 590, 275, 612, [116, 106, 98]);
  canvas.rectangle(122, 612, 134, 690, DARK_GREY);
  canvas.rectangle(250, 612, 262, 690, DARK_GREY);
  return canvas;
}

export function drawFurniture(canvas: Canvas, furniture: Furniture): void {
  for (const block of furniture.blocks) canvas.rectangle(...block);
}

function shelfBlocks(x1: number, y1: number, x2: number, y2: number): readonly Block[] {
  const blocks: Block[] = [[x1, y1, x2, y2, [112, 110, 112]]];
  let goods = 0;
  for (let y = y1 + 8; y + 44 <= y2; y += 52) {
    for (let x = x1 + 8; x + 30 <= x2 - 8; x += 38) {
      const colour = GOODS[goods++ % GOODS.length] ?? GREY;
      blocks.push([x, y + 6 + ((goods * 7) % 10), x + 30, y + 44, colour]);
    }
    blocks.push([x1, y + 44, x2, y + 50, [134, 132, 132]]);
  }
  return blocks;
}
