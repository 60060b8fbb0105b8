import type { Detection } from '../../src/chain/model-chain.ts';
import type { GoldenFiles, RawFile } from './golden-folder.ts';

/** Reads rows of x1, y1, x2, y2, score, class (0 person, 1 face). */
export function goldenDetections(files: GoldenFiles, raw: RawFile): Detection[] {
  const flat = files.float32(raw);
  return Array.from({ length: flat.length / 6 }, (_, row) => {
    const [x1, y1, x2, y2, score, kind] = flat.subarray(row * 6, row * 6 + 6) as unknown as number[];
    return { class: kind === 0 ? 'person' : 'face', score: score!, box: { x1: x1!, y1: y1!, x2: x2!, y2: y2! } };
  });
}
