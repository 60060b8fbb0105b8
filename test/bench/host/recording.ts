import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { Tensor } from 'onnxruntime-node';

type Numbers = Float32Array | Int32Array | BigInt64Array | Uint8Array | Float64Array;

/** One row of an output. */
export interface RecordedOutput {
  readonly name: string;
  readonly type: string;
  /** The first is how many of it belong to the row: one, or for boxes as many as were found. */
  readonly dims: readonly number[];
  readonly data: Numbers;
}

export type RecordedRow = readonly RecordedOutput[];

/** What each row of each graph was answered, by the graph's file and the row's name. */
export class Recording {
  readonly #rows = new Map<string, Map<string, RecordedRow>>();
  #asked = 0;
  #found = 0;

  /** All recordings of a folder, one per thread that recorded. */
  static read(folder: string): Recording {
    const recording = new Recording();
    for (const file of readdirSync(folder)) {
      const stored = deserialize(readFileSync(join(folder, file))) as Map<string, Map<string, RecordedRow>>;
      for (const [graph, rows] of stored) for (const [name, row] of rows) recording.keep(graph, name, row);
    }
    return recording;
  }

  write(folder: string, name: string): void {
    if (this.#rows.size === 0) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), serialize(this.#rows));
  }

  keep(graph: string, name: string, row: RecordedRow): void {
    const rows = this.#rows.get(graph) ?? new Map<string, RecordedRow>();
    this.#rows.set(graph, rows);
    rows.set(name, row);
  }

  /**
   * The row of this name; another one of the same shapes where there is none, as for rows that only fill a batch. Throws where the
   * graph was never recorded.
   */
  find(graph: string, name: string): RecordedRow {
    const rows = this.#rows.get(graph);
    this.#asked += 1;
    const row = rows?.get(name);
    if (row !== undefined) {
      this.#found += 1;
      return row;
    }
    const other = rows?.values().next().value;
    if (other === undefined) throw new Error(`nothing is recorded of ${graph}`);
    return other;
  }

  /** Rows that were asked for, and those of them that were found by their names. */
  get counts(): { readonly asked: number; readonly found: number } {
    return { asked: this.#asked, found: this.#found };
  }
}

/** The rows of a run's outputs: each output's first axis is the rows', or the run has one row, to which all of it belongs. */
export function splitRows(outputs: Readonly<Record<string, Tensor>>, rows: number): readonly RecordedRow[] {
  return Array.from({ length: rows }, (_, row) =>
    Object.entries(outputs).map(([name, tensor]): RecordedOutput => {
      const data = tensor.data as unknown as Numbers;
      const [count = 1, ...rest] = tensor.dims;
      if (rows > 1 && count !== rows) throw new Error(`${name} has ${count} rows in a run of ${rows}`);
      const size = data.length / rows;
      const own = data.slice(row * size, (row + 1) * size);
      return { name, type: tensor.type, dims: [rows === 1 ? count : 1, ...rest], data: own };
    }),
  );
}

/** Outputs of a run of these rows. `places` of detections name the row in front. */
export function joinRows(rows: readonly RecordedRow[]): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = {};
  for (const [at, { name, type, dims, data }] of (rows[0] ?? []).entries()) {
    const parts = rows.map((row) => row[at] ?? { name, type, dims, data });
    const count = parts.reduce((sum, part) => sum + (part.dims[0] ?? 1), 0);
    const length = parts.reduce((sum, part) => sum + part.data.length, 0);
    const joined = new (data.constructor as new (length: number) => Numbers)(length);
    let offset = 0;
    for (const [row, part] of parts.entries()) {
      joined.set(part.data as never, offset);
      if (name === 'places') nameRow(joined, offset, part.data.length, row);
      offset += part.data.length;
    }
    outputs[name] = new Tensor(type as 'float32', joined as Float32Array, [count, ...dims.slice(1)]);
  }
  return outputs;
}

function nameRow(places: Numbers, from: number, length: number, row: number): void {
  for (let at = from; at < from + length; at += 3) {
    if (places instanceof BigInt64Array) places[at] = BigInt(row);
    else places[at] = row;
  }
}
