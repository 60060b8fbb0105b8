const NAMES = ['PATH', 'NODE_COMPILE_CACHE', 'TMPDIR'] as const;

/**
 * The variables of a process that is to see none of the developer's own: where programs are, what Node has compiled before, and where
 * temporary files go, which also tells whose process it is.
 */
export function bareEnvironment(): { readonly [name in (typeof NAMES)[number]]?: string } {
  return Object.fromEntries(
    NAMES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
