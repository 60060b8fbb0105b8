import type { Tensor } from 'onnxruntime-node';
import type { RunKind } from './device-times.ts';

export type Feeds = Readonly<Record<string, Tensor>>;
type Bytes = Uint8Array;

/** Words or bytes of a tensor that name what it holds. */
const SAMPLES = 24;
const CANVAS_SAMPLES = 48;
/** Age and gender see a face and a body. */
const CROPS_OF_PERSON = 2;

/** What a run of this file is, and how many rows it has. */
export function describeRun(file: string, feeds: Feeds): { readonly kind: RunKind; readonly rows: number } {
  const first = (name: string): number => feeds[name]?.dims[0] ?? 1;
  if (/action/.test(file)) return { kind: 'action', rows: feeds['columns']?.dims[1] ?? 1 };
  if (/orientation/.test(file)) return { kind: 'orientation', rows: first('places') };
  if (/age/.test(file)) return { kind: 'ageGender', rows: first('places') / CROPS_OF_PERSON };
  if (/detect/.test(file)) return { kind: 'detection', rows: first('frames') };
  throw new Error(`no figures of a GPU are known for a run of ${file}`);
}

/** Names each row by samples of what it reads, so that its recorded outputs are found again in any batch. */
export function rowNames(kind: RunKind, rows: number, feeds: Feeds): readonly string[] {
  return Array.from({ length: rows }, (_, row) => {
    const name = new RowName();
    if (kind === 'action') nameCanvas(name, feeds, row);
    else if (kind === 'orientation') nameCrop(name, feeds, row);
    else if (kind === 'ageGender') {
      for (let crop = 0; crop < CROPS_OF_PERSON; crop++) nameCrop(name, feeds, row * CROPS_OF_PERSON + crop);
    } else name.add(rowBytes(feeds['frames'], rows, row));
    return name.toString();
  });
}

/** Its taps and some of the pixels that they read; where these lie in the batch's memory is no part of it. */
function nameCrop(name: RowName, feeds: Feeds, row: number): void {
  const { pixels, places, columns, rows } = feeds;
  const [across, down] = [int32Row(columns, row), int32Row(rows, row)];
  const [origin = 0, pitch = 0] = int32Row(places, row);
  name.add(bytesOf(across)).add(bytesOf(down));
  const data = pixels?.data as Uint8Array;
  const [width, height] = [columns?.dims[2] ?? 0, rows?.dims[2] ?? 0];
  for (let i = 0; i < SAMPLES; i++) {
    const x = across[Math.floor((i * width) / SAMPLES)] ?? 0;
    const y = down[Math.floor((((i * 7) % SAMPLES) * height) / SAMPLES)] ?? 0;
    name.number(data[(origin + y * pitch + x) * 3] ?? 0);
  }
}

/** Pictures stand side by side on one canvas: weights and pixels name them, places do not. */
function nameCanvas(name: RowName, feeds: Feeds, row: number): void {
  const { canvas, columns, lines, column_weights: acrossWeights, line_weights: downWeights } = feeds;
  const [height = 1, width = 1] = canvas?.dims ?? [];
  for (const weights of [acrossWeights, downWeights]) {
    for (let tap = 0; tap < (weights?.dims[0] ?? 0); tap++) name.add(bytesOf(canvasTaps(weights, tap, row)));
  }
  const data = canvas?.data as Uint8Array;
  const [across, down] = [canvasTaps(columns, 0, row), canvasTaps(lines, 0, row)];
  for (let i = 0; i < CANVAS_SAMPLES; i++) {
    const x = across[Math.floor((i * across.length) / CANVAS_SAMPLES)] ?? 0;
    const y = down[Math.floor((((i * 7) % CANVAS_SAMPLES) * down.length) / CANVAS_SAMPLES)] ?? 0;
    name.number(data[((y - row * height) * width + x) * 3] ?? 0);
  }
}

/** Of one tap and one picture, in a tensor [taps, pictures, size]. */
function canvasTaps(tensor: Tensor | undefined, tap: number, row: number): Int32Array {
  if (tensor === undefined) return new Int32Array();
  const [, rows = 1, size = 1] = tensor.dims;
  const start = (tap * rows + row) * size;
  return (tensor.data as Int32Array).subarray(start, start + size);
}

function int32Row(tensor: Tensor | undefined, row: number): Int32Array {
  if (tensor === undefined) return new Int32Array();
  const data = tensor.data as Int32Array;
  const size = data.length / (tensor.dims[0] ?? 1);
  return data.subarray(row * size, (row + 1) * size);
}

function rowBytes(tensor: Tensor | undefined, rows: number, row: number): Bytes {
  const all = bytesOf(tensor?.data as unknown as ArrayBufferView);
  const size = all.length / rows;
  return all.subarray(row * size, (row + 1) * size);
}

/** The bytes of any typed array, in place. */
export function bytesOf(view: ArrayBufferView): Bytes {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

class RowName {
  #hash = 0x811c9dc5;
  #second = 0x9747b28c;

  /** Samples of the bytes, spread over all of them, four in a row each. */
  add(bytes: Bytes): this {
    const step = Math.max(4, Math.floor(bytes.length / SAMPLES / 4) * 4);
    for (let at = 0; at < bytes.length; at += step) {
      for (let i = at; i < Math.min(at + 4, bytes.length); i++) this.number(bytes[i] ?? 0);
    }
    return this.number(bytes.length);
  }

  number(value: number): this {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
    this.#second = Math.imul(this.#second ^ value, 0x5bd1e995) + (this.#second >>> 15);
    return this;
  }

  toString(): string {
    return `${(this.#hash >>> 0).toString(36)}.${(this.#second >>> 0).toString(36)}`;
  }
}
