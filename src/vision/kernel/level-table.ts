import { levelTable, type Normalisation } from '../levels.ts';
import type { KernelMemory } from './kernel-memory.ts';

/** What becomes of levels 0..255. */
export interface Levels {
  /** How the module writes them: `assembly/lanes.ts`. */
  readonly as: number;
  /** Three tables of 256 floats. */
  readonly address: number;
  /** The float of a level of a channel. */
  readonly of: (channel: number, level: number) => number;
}

export const DIVIDED = 0;
const LOOKED_UP = 1;
export const BYTES = 2;

/**
 * Puts the tables of a normalisation into the kernel's memory. Where they hold level / 255 and nothing else, the module divides:
 * a quotient of single precision is the one of double precision rounded.
 */
export function putLevels(memory: KernelMemory, normalisation?: Normalisation): Levels {
  const tables = [0, 1, 2].map((channel) =>
    levelTable(normalisation?.mean[channel] ?? 0, normalisation?.std[channel] ?? 1),
  );
  const address = memory.take(3 * 256 * 4);
  tables.forEach((table, channel) => memory.floats(address + channel * 1024, 256).set(table));
  const divided = tables.every((table) => table.every((value, level) => value === Math.fround(level / 255)));
  return {
    as: divided ? DIVIDED : LOOKED_UP,
    address,
    of: (channel, level) => tables[channel]?.[level] ?? 0,
  };
}
