import type { Detection } from '../../../src/chain/model-chain.ts';
import type { Picture } from '../../../src/vision/picture.ts';

const [WIDTH, HEIGHT] = [1920, 1080];
const [PERSON_WIDTH, PERSON_HEIGHT, FACE] = [180, 520, 60];

export interface SyntheticScene {
  readonly frame: Picture;
  /** One person and one face in turn, apart from each other. */
  readonly detections: readonly Detection[];
  readonly persons: number;
}

/** A frame of 1920x1080 with seeded noise and eight people's boxes: the time of a model does not depend on what it sees. */
export function syntheticScene(): SyntheticScene {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0, state = 1; i < pixels.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    pixels[i] = state >>> 24;
  }
  const persons = 8;
  const detections = Array.from({ length: persons }, (_, i): Detection[] => {
    const x1 = 40 + i * 230;
    const y1 = 300 + (i % 3) * 60;
    const face = { x1: x1 + 60, y1: y1 + 10, x2: x1 + 60 + FACE, y2: y1 + 10 + FACE };
    return [
      { class: 'person', score: 0.9, box: { x1, y1, x2: x1 + PERSON_WIDTH, y2: y1 + PERSON_HEIGHT } },
      { class: 'face', score: 0.8, box: face },
    ];
  }).flat();
  return { frame: { width: WIDTH, height: HEIGHT, pixels }, detections, persons };
}
