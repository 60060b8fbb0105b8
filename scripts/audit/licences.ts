/** Asks for no more than that it is named. */
const PERMISSIVE: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/** A package whose licence asks for more, or is not told by its `package.json`. */
export interface NamedPart {
  /** Of the package; a `*` at its end stands for the rest. */
  readonly name: string;
  /** As the lockfile has it; null where it tells none. */
  readonly licence: string | null;
  readonly use: 'production' | 'development' | 'other platforms';
  /** Why it may be here, as a sentence's part for the table of docs/security.md. */
  readonly why: string;
}

export const NAMED_PARTS: readonly NamedPart[] = [
  {
    name: '@img/sharp-libvips-*',
    licence: 'LGPL-3.0-or-later',
    use: 'production',
    why: 'shared libraries in a package of their own, unchanged and loaded at run time: another build can take their place',
  },
  {
    name: '@img/sharp-wasm32',
    licence: 'Apache-2.0 AND LGPL-3.0-or-later AND MIT',
    use: 'other platforms',
    why: 'not installed where a native build exists',
  },
  {
    name: '@img/sharp-win32-*',
    licence: 'Apache-2.0 AND LGPL-3.0-or-later',
    use: 'other platforms',
    why: 'for Windows, where the worker does not run',
  },
  {
    name: 'ffmpeg-static',
    licence: 'GPL-3.0-or-later',
    use: 'production',
    why: 'optional, and a program of its own that is started and not linked; its binary is fetched by `scripts/setup --ffmpeg-static` alone',
  },
  {
    name: 'parse-cache-control',
    licence: null,
    use: 'production',
    why: 'BSD-3-Clause by the LICENSE in its folder; only the download of ffmpeg-static loads it',
  },
  {
    name: 'elkjs',
    licence: 'EPL-2.0',
    use: 'development',
    why: 'comes with the command of Prisma, which draws diagrams with it; no code of this project loads it, and it is not shipped',
  },
  {
    name: 'caniuse-lite',
    licence: 'CC-BY-4.0',
    use: 'development',
    why: 'a table of browsers that the test runner reads; not shipped',
  },
  { name: 'seq-queue', licence: null, use: 'development', why: 'MIT by the LICENSE in its folder; not shipped' },
];

/** The entry that speaks of the package, under just this licence; null for none. */
export function namedPart(name: string, licence: string | null): NamedPart | null {
  const matches = (part: NamedPart): boolean =>
    part.name.endsWith('*') ? name.startsWith(part.name.slice(0, -1)) : name === part.name;
  return NAMED_PARTS.find((part) => matches(part) && part.licence === licence) ?? null;
}

/**
 * Whether an SPDX expression can be met with permissive licences alone: one side of an `OR`, both of an `AND`. What is no expression,
 * and a licence with an exception (`WITH`), is not.
 */
export function isPermissive(expression: string): boolean {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  let at = 0;
  const upper = (): string => tokens[at]?.toUpperCase() ?? '';
  const one = (): boolean => {
    const token = tokens[at++];
    if (token !== '(') return token !== undefined && PERMISSIVE.has(token);
    const inside = either();
    return tokens[at++] === ')' && inside;
  };
  const both = (): boolean => {
    let result = one();
    while (upper() === 'AND') {
      at += 1;
      const next = one();
      result &&= next;
    }
    return result;
  };
  const either = (): boolean => {
    let result = both();
    while (upper() === 'OR') {
      at += 1;
      const next = both();
      result ||= next;
    }
    return result;
  };
  return either() && at === tokens.length;
}
