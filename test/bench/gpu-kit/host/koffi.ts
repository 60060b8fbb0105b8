/** Calls C libraries by koffi, which is no package of this project: the kit carries it. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What is used of koffi. */
export interface Koffi {
  config(settings: { readonly sync_stack_size: number }): unknown;
  load(path: string): Library;
  proto(definition: string): FunctionType;
  call(address: unknown, type: FunctionType, ...values: readonly unknown[]): unknown;
  decode(address: unknown, type: string, length: number): unknown;
}

export interface Library {
  func(definition: string): (...values: readonly unknown[]) => unknown;
}

type FunctionType = object;

/** koffi closes a library that nothing refers to, whatever of it is still in use. */
const loaded: Library[] = [];

/** `kitDir` has koffi in `ffi/node_modules`. */
export function loadKoffi(kitDir: string): Koffi {
  return createRequire(join(kitDir, 'ffi/package.json'))('koffi') as Koffi;
}

/** Loads a library for as long as the process lives. */
export function openLibrary(koffi: Koffi, path: string): Library {
  const library = koffi.load(path);
  loaded.push(library);
  return library;
}
