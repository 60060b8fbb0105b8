/** One package of `package-lock.json`, by its folder. */
export interface LockedEntry {
  readonly version?: string;
  /** Where the folder has another name. */
  readonly name?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly lockfileVersion: number;
  /** By folder; the project itself is ''. */
  readonly packages: Readonly<Record<string, LockedEntry>>;
}

/** What the audit reads of `package.json`. */
export interface Project {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: unknown;
  /** By package: whether its install script may run. */
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

/** What the `package.json` of an installed package says. */
export interface Installed {
  readonly name?: string;
  readonly version?: string;
  readonly license?: unknown;
}

export const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/** The name under which the registry has it. */
export function nameOf(folder: string, entry: LockedEntry): string {
  return entry.name ?? folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** The packages that are installed because of others, with what the project itself asked for: the shortest way there, by name. */
export function asksFor(lock: Lock, folder: string): string {
  const root = lock.packages[''] ?? {};
  const wanted = KINDS.flatMap((kind) => Object.keys(root[kind] ?? {}));
  const seen = new Map<string, string>(wanted.map((name) => [`node_modules/${name}`, name]));
  for (const [at, first] of seen) {
    const entry = lock.packages[at];
    if (at === folder) return first;
    for (const name of Object.keys({
      ...entry?.dependencies,
      ...entry?.optionalDependencies,
      ...entry?.peerDependencies,
    })) {
      const found = foundFrom(lock, at, name);
      if (found !== null && !seen.has(found)) seen.set(found, first);
    }
  }
  return 'nothing';
}

/** As Node looks for it: beside, then further up. */
function foundFrom(lock: Lock, folder: string, name: string): string | null {
  for (let at = folder; ;) {
    const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (candidate in lock.packages) return candidate;
    if (at === '') return null;
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '';
  }
}
