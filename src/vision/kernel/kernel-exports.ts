/**
 * Functions of the compiled module (`assembly/kernel.ts`, which says what they do); places in its memory are byte addresses.
 * Trailing parameters that say where pixels go: the first place, bytes from row to row (where it is not fixed), bytes from
 * channel to channel, how levels are written, and the table of levels.
 */
export interface KernelExports {
  readonly memory: ModuleMemory;
  readonly heapBase: { readonly value: number };
  readonly packColumns: Numbers<[tables: number, count: number, origin: number, out: number]>;
  readonly beginRows: Numbers<[taps: number, count: number, sums: number]>;
  readonly resizedRows: WriteRows;
  readonly griddedRows: WriteRows;
  readonly packTaps: Numbers<
    [
      first: number,
      count: number,
      weights: number,
      stride: number,
      places: number,
      pairs: number,
      from: number,
      to: number,
      unit: number,
      out: number,
    ]
  >;
  readonly beginSquare: Numbers<
    [side: number, pairs: number, columns: number, lines: number, ring: number, ringRows: number, addresses: number]
  >;
  readonly squareRows: Numbers<
    [source: number, pitch: number, count: number, out: number, step: number, as: number, levels: number]
  >;
  readonly endSquare: Numbers<[out: number, step: number, as: number, levels: number]>;
  readonly splitRows: Numbers<
    [
      rows: number,
      pitch: number,
      count: number,
      width: number,
      out: number,
      stride: number,
      step: number,
      as: number,
      levels: number,
    ]
  >;
  readonly fill: Numbers<[out: number, stride: number, width: number, height: number, value: number]>;
  readonly blacken: Numbers<[rows: number, pitch: number, count: number, from: number, to: number]>;
  readonly lit: (rows: number, pitch: number, count: number, length: number) => number;
}

type Numbers<Parameters extends readonly number[]> = (...parameters: Parameters) => void;

type WriteRows = Numbers<
  [lines: number, count: number, out: number, stride: number, step: number, as: number, levels: number]
>;

/** Memory of a module, in pages of 64 KiB. */
export interface ModuleMemory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
}

/** What TypeScript's library for programs without a browser does not know. */
interface WebAssemblyGlobal {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
}

/** Compiles and starts the module, in a millisecond; every call gives one with memory of its own. */
export function startModule(bytes: Uint8Array): KernelExports {
  const { WebAssembly } = globalThis as unknown as WebAssemblyGlobal;
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as KernelExports;
}
