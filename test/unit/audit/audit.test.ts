import { describe, expect, test } from '@jest/globals';
import { advisoriesOf, askAdvisories } from '../../../scripts/audit/advisories.ts';
import { auditPackages, type Packages } from '../../../scripts/audit/findings.ts';
import { isPermissive, NAMED_PARTS } from '../../../scripts/audit/licences.ts';
import { asksFor, type Installed, type LockedEntry, type Project } from '../../../scripts/audit/lockfile.ts';
import { readPackages } from '../../../scripts/audit/read.ts';

const real = readPackages(new URL('../../../', import.meta.url));
const HASH = `sha512-${'A'.repeat(86)}==`;

interface Planted {
  readonly entries?: Readonly<Record<string, LockedEntry>>;
  readonly change?: readonly [folder: string, entry: Partial<Record<keyof LockedEntry, unknown>>];
  readonly project?: Partial<Project>;
  readonly installed?: readonly [folder: string, installed: Installed];
}

/** The project's own packages with something planted in them. */
function withPlanted({ entries = {}, change, project = {}, installed }: Planted): Packages {
  const packages: Record<string, LockedEntry> = { ...real.lock.packages, ...entries };
  if (change !== undefined) packages[change[0]] = { ...packages[change[0]], ...change[1] } as LockedEntry;
  return {
    project: { ...real.project, ...project },
    lock: { ...real.lock, packages },
    installed: (folder) => (folder === installed?.[0] ? installed[1] : real.installed(folder)),
  };
}

const good: LockedEntry = { version: '1.0.0', integrity: HASH, license: 'MIT' };
const plant = (entry: LockedEntry, folder = 'node_modules/planted'): Planted => ({ entries: { [folder]: entry } });

test('the packages of this project pass', () => {
  expect(auditPackages(real)).toEqual([]);
});

test('a harmless package more is no offence', () => {
  expect(
    auditPackages(withPlanted(plant({ ...good, resolved: 'https://registry.npmjs.org/planted/-/planted-1.0.0.tgz' }))),
  ).toEqual([]);
});

/** Where one plant is more than one offence: what lies in node_modules, or the rule that is left over, does not agree with it either. */
const counts: ReadonlyMap<string, number> = new Map([
  ['a named package under another licence than the named one', 3],
  ['a link', 2],
  // What is installed has the name that it should have.
  ['another package in the folder of one that the project asks for', 3],
  ['the package that has the name of an alias', 4],
  ['a lock of another version than the pin', 2],
]);

describe('one sentence is said of', () => {
  test.each<[string, Planted, RegExp]>([
    [
      'a copyleft licence',
      plant({ ...good, license: 'AGPL-3.0-only' }),
      /^node_modules\/planted \(asked for by nothing\) has the licence AGPL-3.0-only: replace it, or name it/,
    ],
    ['no licence', plant({ version: '1.0.0', integrity: HASH }), /has the licence that nobody tells/],
    ['a licence that is no expression', plant({ ...good, license: 'SEE LICENSE IN LICENSE.md' }), /SEE LICENSE IN/],
    [
      'a named package under another licence than the named one',
      { change: ['node_modules/elkjs', { license: 'AGPL-3.0-only' }] },
      /elkjs .*AGPL-3.0-only|names elkjs/,
    ],
    [
      'a development part in production',
      { change: ['node_modules/caniuse-lite', { dev: undefined }] },
      /caniuse-lite .* is named for development alone/,
    ],
    [
      'a package of git',
      plant({ ...good, resolved: 'git+ssh://git@github.com/x/y.git#0123456' }),
      /comes from git\+ssh.* and not from https:\/\/registry/,
    ],
    [
      'a package by http',
      plant({ ...good, resolved: 'http://registry.npmjs.org/x/-/x-1.0.0.tgz' }),
      /comes from http:/,
    ],
    [
      'a registry whose name only begins like ours',
      plant({ ...good, resolved: 'https://registry.npmjs.org.example/x.tgz' }),
      /comes from/,
    ],
    [
      'the archive of another package of the registry',
      { change: ['node_modules/zod', { resolved: 'https://registry.npmjs.org/evil/-/evil-4.6.7.tgz' }] },
      /^node_modules\/zod comes from .*\/evil-4.6.7.tgz and not from https:\/\/registry.npmjs.org\/zod\/-\/zod-/,
    ],
    [
      'the archive of another version',
      plant({ ...good, resolved: 'https://registry.npmjs.org/planted/-/planted-0.9.0.tgz' }),
      /comes from .*-0.9.0.tgz and not from .*-1.0.0.tgz/,
    ],
    [
      'another package in the folder of one that the project asks for',
      { change: ['node_modules/zod', { name: 'evil' }] },
      /^zod is pinned to .*, and package-lock.json has the package evil there/,
    ],
    [
      'the package that has the name of an alias',
      { change: ['node_modules/@prisma/cli', { name: undefined }] },
      /^@prisma\/cli is pinned to npm:prisma@.*, and package-lock.json has the package @prisma\/cli there/,
    ],
    [
      'another package under a name by which nobody asks for it',
      plant({ ...good, name: 'evil' }),
      /^node_modules\/planted holds the package evil, and nobody asks/,
    ],
    ['a package of a folder', plant({ ...good, resolved: 'file:../x' }), /comes from file:/],
    ['a link', plant({ resolved: '../x', link: true }), /is a link to/],
    ['a package inside another one', plant({ ...good, inBundle: true }), /lies inside another package/],
    ['a workspace', plant(good, 'packages/x'), /packages\/x is no package of the registry/],
    ['no hash', plant({ version: '1.0.0', license: 'MIT' }), /has no sha512 integrity .*: none/],
    ['a weak hash', plant({ ...good, integrity: 'sha1-AAAA' }), /has no sha512 integrity .*: sha1/],
    [
      'an install script that nobody has looked at',
      plant({ ...good, hasInstallScript: true }),
      /planted has an install script: name planted in allowScripts/,
    ],
    [
      'an install script allowed and gone',
      { project: { allowScripts: { ...real.project.allowScripts, gone: true } } },
      /names gone, which has no install script/,
    ],
    [
      'a range',
      { project: { dependencies: { ...real.project.dependencies, zod: '^4.0.0' } } },
      /^zod is \^4.0.0 in dependencies of package.json and .* in package-lock.json/,
    ],
    [
      'a package that was never locked',
      { project: { devDependencies: { ...real.project.devDependencies, extra: '1.0.0' } } },
      /^extra is 1.0.0 in devDependencies .* and not there in package-lock.json/,
    ],
    [
      'a lock of another version than the pin',
      { change: ['node_modules/zod', { version: '4.0.0' }] },
      /^zod is pinned to .*, and package-lock.json has 4.0.0/,
    ],
    [
      'another package in its folder',
      { installed: ['node_modules/zod', { name: 'zod', version: '9.9.9', license: 'MIT' }] },
      /^node_modules\/zod holds zod 9.9.9 and not zod/,
    ],
    [
      'an installed package of another licence',
      {
        installed: [
          'node_modules/zod',
          { name: 'zod', version: real.lock.packages['node_modules/zod']?.version ?? '', license: 'BUSL-1.1' },
        ],
      },
      /^node_modules\/zod says of itself that its licence is BUSL-1.1/,
    ],
  ])('%s', (what, planted, sentence) => {
    const findings = auditPackages(withPlanted(planted));
    expect(findings).toHaveLength(counts.get(what) ?? 1);
    expect(findings[0]).toMatch(sentence);
  });

  test('a range that is locked as it is', () => {
    const root = real.lock.packages[''] ?? {};
    const dependencies = { ...real.project.dependencies, zod: '>=4' };
    const planted = withPlanted({ project: { dependencies }, change: ['', { ...root, dependencies }] });
    expect(auditPackages(planted)).toEqual([
      'zod is not pinned in dependencies of package.json: >=4 must be one version',
    ]);
  });

  test('a named part that is here no longer', () => {
    const packages = Object.fromEntries(
      Object.entries(real.lock.packages).filter(([folder]) => !folder.endsWith('/elkjs')),
    );
    expect(auditPackages({ ...real, lock: { ...real.lock, packages } })).toEqual([
      'scripts/audit/licences.ts names elkjs (EPL-2.0), which is not in package-lock.json: take it out',
    ]);
  });

  test('an old form of the lockfile', () => {
    expect(auditPackages({ ...real, lock: { ...real.lock, lockfileVersion: 1 } })[0]).toMatch(/has the form 1/);
  });
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0-only)', true],
  ['GPL-3.0-only OR (Apache-2.0 AND MIT)', true],
  ['MIT and ISC', true],
  ['MIT AND GPL-3.0-only', false],
  ['Apache-2.0 AND (MIT OR GPL-2.0-only) AND LGPL-3.0-or-later', false],
  ['GPL-2.0-only WITH Classpath-exception-2.0', false],
  ['MIT WITH something', false],
  ['(MIT', false],
  ['MIT)', false],
  ['MIT OR', false],
  ['', false],
  ['mit', false],
  ['UNLICENSED', false],
])('the licence %j is permissive: %s', (expression, expected) => {
  expect(isPermissive(expression)).toBe(expected);
});

test('who asks for a package is the nearest of those that the project names', () => {
  expect(asksFor(real.lock, 'node_modules/elkjs')).toBe('@prisma/cli');
  expect(asksFor(real.lock, 'node_modules/zod')).toBe('zod');
  expect(asksFor(real.lock, 'node_modules/nowhere')).toBe('nothing');
});

test('every named part has a reason', () => {
  expect(NAMED_PARTS.filter(({ why }) => why.length < 20)).toEqual([]);
});

describe('advisories', () => {
  test('are a sentence for each package', () => {
    const vulnerabilities = { tar: { severity: 'high', range: '<7.5.4', isDirect: false } };
    expect(advisoriesOf(JSON.stringify({ vulnerabilities }), '')).toEqual({
      found: ['tar <7.5.4 has a known fault (high, through others): see npm audit'],
      unanswered: null,
    });
    expect(advisoriesOf(JSON.stringify({ vulnerabilities: {} }), '')).toEqual({ found: [], unanswered: null });
  });

  test.each([
    [
      JSON.stringify({ message: 'request to https://registry.npmjs.org failed', error: { summary: '' } }),
      '',
      'request to https://registry.npmjs.org failed',
    ],
    [JSON.stringify({ error: { code: 'ENOLOCK' } }), '', 'ENOLOCK'],
    ['', 'npm error network\n', 'npm error network'],
    ['', '', 'npm audit printed no report'],
  ])('a registry that does not answer is said to: %s', (stdout, stderr, why) => {
    expect(advisoriesOf(stdout, stderr)).toEqual({ found: [], unanswered: why });
  });

  test('a host without npm is said to have none', async () => {
    expect(await askAdvisories('.', 'no-such-npm')).toMatchObject({
      found: [],
      unanswered: expect.stringContaining('no-such-npm'),
    });
  });
});
