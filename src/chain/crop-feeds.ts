import { Tensor } from '../inference/tensor.ts';
import { Failure } from '../failure/failure.ts';
import type { ModelSpec } from '../packs/pack-manifest.ts';
import { CROP_INPUT } from '../graphs/prepare/prepared-inputs.ts';
import type { CropSource } from '../vision/crop-source.ts';
import { leanCrop, type LeanCrop } from '../vision/lines-read.ts';
import { copyRows, wholeArea, type PictureArea } from '../vision/picture-area.ts';
import type { Picture } from '../vision/picture.ts';
import type { Taps } from '../vision/taps.ts';

/** A crop of a prepared batch: which frame it reads, and where. */
export interface Crop {
  readonly frame: Picture;
  readonly source: CropSource;
}

/** Pixels of a crop, by the inputs that carry its taps; throws PACK_BROKEN where the graph has none. */
export function cropSize(spec: ModelSpec): { readonly width: number; readonly height: number } {
  const length = (name: string): number => {
    const size = spec.inputs.find((input) => input.name === name)?.shape[2];
    if (typeof size === 'number') return size;
    throw new Failure(
      'PACK_BROKEN',
      `${spec.file.path}: expected an input ${name} [crops, 4, size]; prepare the pack again`,
    );
  };
  return { width: length(CROP_INPUT.columns), height: length(CROP_INPUT.rows) };
}

/** Where a window begins in the tensor of pixels, and how many pixels a row of it is further. */
interface Place {
  readonly origin: number;
  readonly pitch: number;
}

interface Copy extends PictureArea {
  readonly origin: number;
  /** Of the window, those that travel; all where absent. */
  readonly lines?: readonly number[];
}

/** A crop with what of its window it reads. */
interface Cut extends Crop {
  readonly lean: LeanCrop;
}

/**
 * Inputs of a prepared per-person graph for crops of any frames; null is a black crop. `blanks` must say whether the graph
 * takes rectangles. Pixels and taps lie in buffers that are used again: ONNX Runtime has read them when `run` resolves.
 */
export function cropFeeds(
  size: { readonly width: number; readonly height: number },
  blanks: boolean,
): (crops: readonly (Crop | null)[]) => Record<string, Tensor> {
  let buffer = new Uint8Array(0);
  const tables = { columns: new Int32Array(0), rows: new Int32Array(0) };
  return (wanted) => {
    const { crops, places, copies, pixels } = layOut(wanted);
    if (buffer.length < pixels * 3) buffer = new Uint8Array(pixels * 3);
    for (const { origin, lines, ...area } of copies) {
      copyRows(area, buffer, origin * 3, (area.window.x2 - area.window.x1) * 3, lines);
    }
    const count = crops.length;
    const taps = (axis: 'columns' | 'rows', length: number): Tensor => {
      const numbers = 4 * length;
      if (tables[axis].length < count * numbers) tables[axis] = new Int32Array(count * numbers);
      const data = tables[axis].subarray(0, count * numbers);
      crops.forEach((crop, i) => {
        if (crop === null) data.fill(0, i * numbers, (i + 1) * numbers);
        else writeTaps(crop.taps[axis], data, i * numbers);
      });
      return new Tensor('int32', data, [count, 4, length]);
    };
    return {
      [CROP_INPUT.pixels]: new Tensor('uint8', buffer.subarray(0, pixels * 3), [pixels, 3]),
      [CROP_INPUT.places]: new Tensor(
        'int32',
        Int32Array.from(places.flatMap(({ origin, pitch }) => [origin, pitch])),
        [count, 2],
      ),
      [CROP_INPUT.columns]: taps('columns', size.width),
      [CROP_INPUT.rows]: taps('rows', size.height),
      ...(blanks ? { [CROP_INPUT.blanks]: blankTensor(crops) } : {}),
    };
  };
}

/**
 * Gives every crop its place behind the black first pixel. Only the lines that are read travel, unless those of one frame are together
 * larger than the frame, as in a crowd: then the frame does, once.
 */
function layOut(wanted: readonly (Crop | null)[]): {
  readonly crops: readonly (CropSource | null)[];
  readonly places: readonly Place[];
  readonly copies: readonly Copy[];
  readonly pixels: number;
} {
  const cuts = wanted.map((crop): Cut | null => (crop === null ? null : { ...crop, lean: leanCrop(crop.source) }));
  const demand = new Map<Picture, number>();
  for (const cut of cuts) {
    if (cut !== null) demand.set(cut.frame, (demand.get(cut.frame) ?? 0) + pixelsOf(cut));
  }
  const copies: Copy[] = [];
  const crops: (CropSource | null)[] = [];
  const places: Place[] = [];
  const whole = new Map<Picture, number>();
  let pixels = 1;
  const take = (count: number): number => {
    pixels += count;
    return pixels - count;
  };
  for (const cut of cuts) {
    if (cut === null) {
      crops.push(null);
      places.push({ origin: 0, pitch: 0 });
      continue;
    }
    const { frame, source, lean } = cut;
    const { window } = source;
    const size = frame.width * frame.height;
    if ((demand.get(frame) ?? 0) < size) {
      const origin = take(pixelsOf(cut));
      copies.push({ frame, window, origin, lines: lean.lines });
      crops.push({ window, blanks: lean.blanks, taps: { columns: source.taps.columns, rows: lean.rows } });
      places.push({ origin, pitch: window.x2 - window.x1 });
      continue;
    }
    const start = whole.get(frame) ?? take(size);
    if (!whole.has(frame)) copies.push({ ...wholeArea(frame), origin: start });
    whole.set(frame, start);
    crops.push(source);
    places.push({ origin: start + window.y1 * frame.width + window.x1, pitch: frame.width });
  }
  return { crops, places, copies, pixels };
}

function pixelsOf({ source: { window }, lean }: Cut): number {
  return (window.x2 - window.x1) * lean.lines.length;
}

function writeTaps(taps: Taps, out: Int32Array, offset: number): void {
  const rows = [taps.low, taps.high, taps.lowWeight, taps.highWeight];
  rows.forEach((row, i) => out.set(row, offset + i * row.length));
}

/** At least one rectangle per crop: those that a crop has fewer than others are empty. */
function blankTensor(crops: readonly (CropSource | null)[]): Tensor {
  const most = crops.reduce((count, crop) => Math.max(count, crop?.blanks.length ?? 0), 1);
  const data = new Int32Array(crops.length * most * 4);
  crops.forEach((crop, i) => {
    crop?.blanks.forEach(({ x1, y1, x2, y2 }, j) => data.set([x1, y1, x2, y2], (i * most + j) * 4));
  });
  return new Tensor('int32', data, [crops.length, most, 4]);
}
