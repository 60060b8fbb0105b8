import { isPermissive, NAMED_PARTS, namedPart } from './licences.ts';
import { asksFor, KINDS, nameOf, type Installed, type Lock, type LockedEntry, type Project } from './lockfile.ts';

export interface Packages {
  readonly project: Project;
  readonly lock: Lock;
  /** The package that lies in the folder; null where none does. */
  readonly installed: (folder: string) => Installed | null;
}

const REGISTRY = 'https://registry.npmjs.org/';
/** The strongest that the registry gives: npm checks what it downloads against it. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;
const EXACT = /^(?:npm:(?:@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

/** Every offence against the rules, a sentence each; empty where there is none. Needs no network. */
export function auditPackages({ project, lock, installed }: Packages): string[] {
  const entries = Object.entries(lock.packages).filter(([folder]) => folder !== '');
  const aliases = aliasesOf(lock);
  return [
    ...ofProject(project, lock),
    ...entries.flatMap(([folder, entry]) => [
      ...ofSource(folder, entry),
      ...ofName(folder, entry, aliases),
      ...ofLicence(lock, folder, entry),
      ...ofScripts(folder, entry, project),
      ...ofInstalled(folder, entry, installed(folder)),
    ]),
    ...ofRules(project, entries),
  ];
}

/** What `package.json` asks for is exact, and is what the lockfile was made of. */
function ofProject(project: Project, lock: Lock): string[] {
  if (lock.lockfileVersion !== 3) {
    return [`package-lock.json has the form ${lock.lockfileVersion}: make it anew with npm 7 or newer (form 3)`];
  }
  const root = lock.packages[''] ?? {};
  return KINDS.flatMap((kind) => {
    const [wanted, locked] = [project[kind] ?? {}, root[kind] ?? {}];
    const names = [...new Set([...Object.keys(wanted), ...Object.keys(locked)])].sort();
    return names.flatMap((name) => {
      const [range, lockedRange] = [wanted[name], locked[name]];
      if (range !== lockedRange) {
        return [
          `${name} is ${range ?? 'not there'} in ${kind} of package.json and ${lockedRange ?? 'not there'} in package-lock.json: run npm install`,
        ];
      }
      if (range === undefined || !EXACT.test(range)) {
        return [`${name} is not pinned in ${kind} of package.json: ${range} must be one version`];
      }
      const folder = `node_modules/${name}`;
      const entry = lock.packages[folder] ?? {};
      const { version } = entry;
      if (version === undefined || range.slice(range.lastIndexOf('@') + 1) !== version) {
        return [`${name} is pinned to ${range}, and package-lock.json has ${version ?? 'none'}: run npm install`];
      }
      const held = nameOf(folder, entry);
      if (held === (aliasIn(range) ?? name)) return [];
      return [`${name} is pinned to ${range}, and package-lock.json has the package ${held} there: run npm install`];
    });
  });
}

function ofSource(folder: string, entry: LockedEntry): string[] {
  const { version, resolved, integrity, link, inBundle } = entry;
  if (link === true) {
    return [`${folder} is a link to ${resolved ?? 'another folder'}: only packages of the registry are allowed`];
  }
  if (inBundle === true) return [`${folder} lies inside another package, where no hash of its own guards it`];
  if (!folder.startsWith('node_modules/')) return [`${folder} is no package of the registry`];
  const findings: string[] = [];
  if (version === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
    findings.push(`${folder} has no version in package-lock.json`);
  }
  // npm leaves the address out where it is the registry's own. It fetches what is there, whatever the folder's name, and the hash is that of it.
  const address = addressOf(nameOf(folder, entry), version ?? '');
  if (resolved !== undefined && resolved !== address) {
    findings.push(`${folder} comes from ${resolved} and not from ${address}`);
  }
  if (integrity === undefined || !integrity.split(' ').some((hash) => INTEGRITY.test(hash))) {
    findings.push(`${folder} has no sha512 integrity in package-lock.json: ${integrity ?? 'none'}`);
  }
  return findings;
}

function addressOf(name: string, version: string): string {
  return `${REGISTRY}${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
}

/** A folder holds the package of its name, or the one for which somebody says that it be called so. */
function ofName(folder: string, entry: LockedEntry, aliases: ReadonlySet<string>): string[] {
  const [own, held] = [nameOf(folder, {}), nameOf(folder, entry)];
  if (own === held || aliases.has(`${own} ${held}`)) return [];
  return [`${folder} holds the package ${held}, and nobody asks for that by this name: run npm install`];
}

/** All `NAME PACKAGE` that the packages and the project itself ask for. */
function aliasesOf({ packages }: Lock): ReadonlySet<string> {
  const asked = Object.values(packages).flatMap((entry) =>
    Object.entries({
      ...entry.dependencies,
      ...entry.devDependencies,
      ...entry.optionalDependencies,
      ...entry.peerDependencies,
    }),
  );
  return new Set(asked.flatMap(([name, range]) => (aliasIn(range) === null ? [] : [`${name} ${aliasIn(range)}`])));
}

/** The package of `npm:PACKAGE@RANGE`; null for a range without one. */
function aliasIn(range: string): string | null {
  return /^npm:(@?[^@]+)/.exec(range)?.[1] ?? null;
}

function ofLicence(lock: Lock, folder: string, entry: LockedEntry): string[] {
  const licence = entry.license ?? null;
  if (licence !== null && isPermissive(licence)) return [];
  const part = namedPart(nameOf(folder, entry), licence);
  const told = `${folder} (asked for by ${asksFor(lock, folder)})`;
  if (part === null) {
    return [
      `${told} has the licence ${licence ?? 'that nobody tells'}: replace it, or name it in scripts/audit/licences.ts with the reason why it may stay`,
    ];
  }
  if (part.use === 'development' && entry.dev !== true) {
    return [`${told} is named for development alone, and is installed in production`];
  }
  return [];
}

function ofScripts(folder: string, entry: LockedEntry, { allowScripts = {} }: Project): string[] {
  const name = nameOf(folder, entry);
  if (entry.hasInstallScript !== true || name in allowScripts) return [];
  return [
    `${folder} has an install script: name ${name} in allowScripts of package.json, with false where it need not run`,
  ];
}

/** What lies in node_modules is what was locked, as far as a package says it of itself. */
function ofInstalled(folder: string, entry: LockedEntry, installed: Installed | null): string[] {
  if (installed === null) return [];
  const findings: string[] = [];
  const name = nameOf(folder, entry);
  if (installed.name !== name || installed.version !== entry.version) {
    findings.push(
      `${folder} holds ${installed.name ?? 'a package without name'} ${installed.version ?? ''} and not ${name} ${entry.version ?? ''}: run scripts/setup`,
    );
  }
  if (typeof installed.license === 'string' && installed.license !== entry.license) {
    findings.push(
      `${folder} says of itself that its licence is ${installed.license}, and package-lock.json says ${entry.license ?? 'none'}`,
    );
  }
  return findings;
}

/** Rules that nothing needs any more would let something else in. */
function ofRules({ allowScripts = {} }: Project, entries: readonly (readonly [string, LockedEntry])[]): string[] {
  const scripts = new Set(
    entries.flatMap(([folder, entry]) => (entry.hasInstallScript === true ? [nameOf(folder, entry)] : [])),
  );
  const used = new Set(entries.map(([folder, entry]) => namedPart(nameOf(folder, entry), entry.license ?? null)));
  return [
    ...Object.keys(allowScripts).flatMap((name) =>
      scripts.has(name)
        ? []
        : [`allowScripts of package.json names ${name}, which has no install script here: take it out`],
    ),
    ...NAMED_PARTS.flatMap((part) =>
      used.has(part)
        ? []
        : [
            `scripts/audit/licences.ts names ${part.name} (${part.licence ?? 'no licence'}), which is not in package-lock.json: take it out`,
          ],
    ),
  ];
}
