/** The part of `package-lock.json` that tells which package needs which. */
export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  /** Only the development packages need it. */
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * Folders (`node_modules/...`) of the packages that the roots need at run time, found as Node resolves them, whatever else is
 * installed. `present` tells whether an optional package was installed on this machine. Throws for a needed package that the
 * lockfile does not hold.
 */
export function runtimePackages(
  lock: Lockfile,
  roots: readonly string[],
  present: (folder: string) => boolean,
): readonly string[] {
  const found = new Set<string>();
  const queue = roots.map((name) => ({ name, from: '', optional: false }));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { name, from, optional } = next;
    const folder = resolve(lock, name, from);
    if (folder === null || !present(folder)) {
      if (optional) continue;
      throw new Error(`${name}, needed by ${from === '' ? 'the bundle' : from}, is not installed; run scripts/setup`);
    }
    if (found.has(folder)) continue;
    found.add(folder);
    const entry = lock.packages[folder] ?? {};
    const peers = Object.keys(entry.peerDependencies ?? {}).filter(
      (peer) => entry.peerDependenciesMeta?.[peer]?.optional !== true,
    );
    const optionals = Object.keys(entry.optionalDependencies ?? {});
    for (const needed of [...Object.keys(entry.dependencies ?? {}), ...peers]) {
      queue.push({ name: needed, from: folder, optional: optionals.includes(needed) });
    }
    for (const wanted of optionals) queue.push({ name: wanted, from: folder, optional: true });
  }
  return [...found].sort();
}

/** The folder that `import name` reaches from a file of the package in `from` ('' is the project). */
function resolve(lock: Lockfile, name: string, from: string): string | null {
  for (let base = from; ;) {
    const folder = `${base === '' ? '' : `${base}/`}node_modules/${name}`;
    if (folder in lock.packages) return folder;
    if (base === '') return null;
    const parent = base.lastIndexOf('/node_modules/');
    base = parent < 0 ? '' : base.slice(0, parent);
  }
}
