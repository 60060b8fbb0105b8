import type { Key, Need } from './key.ts';
import type { KEYS } from './keys.ts';

type Sections = typeof KEYS;

/** Every setting; one without a default is null where it is absent. */
type Settings = {
  readonly [S in keyof Sections]: {
    readonly [K in keyof Sections[S]]: Sections[S][K] extends Key<infer T, Need> ? T : never;
  };
};

/** The settings that one of the needs asks for. */
type Required<N extends Need> = {
  readonly [S in keyof Sections]: {
    readonly [
      K in keyof Sections[S] as Sections[S][K] extends Key<unknown, infer M>
        ? [M & N] extends [never]
          ? never
          : K
        : never
    ]: Sections[S][K] extends Key<infer T, Need> ? NonNullable<T> : never;
  };
};

/** The validated settings, deep-frozen. With `Needs`, what those parts require is not null. */
export type Config<Needs extends Need = never> = Settings & Required<Needs>;
