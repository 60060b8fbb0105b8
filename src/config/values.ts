import type { Key, Need } from './key.ts';
import type { KEYS } from './keys.ts';

type Sections = typeof KEYS;

type ValueOf<K, Needs extends Need> =
  K extends Key<infer T, infer N> ? ([N] extends [never] ? T : [N] extends [Needs] ? NonNullable<T> : T) : never;

/** The validated settings, deep-frozen. `Needs` are the parts that were asked for: their required values are not null. */
export type Config<Needs extends Need = never> = {
  readonly [S in keyof Sections]: { readonly [K in keyof Sections[S]]: ValueOf<Sections[S][K], Needs> };
};
