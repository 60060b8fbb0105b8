import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AREAS, GUARDED_MODULES, ROOMS } from '../../../scripts/lint/rooms.ts';

/** A planted file: every line of it is refused by this wall, or none is. */
interface Plant {
  readonly file: string;
  readonly lines: readonly string[];
  readonly wall: RegExp | null;
}

/** Every way in which one file names another. */
const WAYS: readonly ((path: string) => string)[] = [
  (path) => `import * as value from '${path}';`,
  (path) => `import type * as types from '${path}';`,
  (path) => `import equals = require('${path}');`,
  (path) => `export * from '${path}';`,
  (path) => `export { name } from '${path}';`,
  (path) => `export type Inline = typeof import('${path}');`,
  (path) => `void import('${path}');`,
  (path) => `void import(\`${path}\`);`,
  (path) => `void new URL('${path}', import.meta.url);`,
];
const DEPTHS = ['', 'planted/deep/'];
const ENVIRONMENT = [
  `void process.env['HOME'];`,
  `void process['env'];`,
  `const { env } = process;`,
  `void globalThis.process.env;`,
];
const EXIT = [`process.exit(1);`, `const leave = process.exit;`];
/** The rules that a plant can break. */
const WALLS = ['walls(rooms)', 'eslint(no-restricted-properties)', 'import(no-cycle)'];

const names = Object.keys(ROOMS);
/** The linter passes generated code over, so it can be imported but not planted in. */
const rooms = names.filter((name) => name !== 'generated');
const files = globSync('{src,models,scripts,test}/**/*.ts', { exclude: ['**/node_modules'] }).sort();

describe('the table', () => {
  test('has a room for every file of src, and files for every room', () => {
    expect(files.filter((file) => file.startsWith('src/') && roomOf(file) === undefined)).toEqual([]);
    expect(names.filter((name) => !files.some((file) => roomOf(file) === name))).toEqual([]);
  });

  test('lets a room import only rooms that stand above it, so that no two need each other', () => {
    const upward = rooms.flatMap((room, position) =>
      ROOMS[room]!.imports.filter((name) => !names.slice(0, names.indexOf(rooms[position]!)).includes(roomNamed(name))),
    );
    expect(upward).toEqual([]);
  });

  test('opens single files only where they are', () => {
    const open = rooms.flatMap((room) => ROOMS[room]!.imports.filter((name) => name.endsWith('.ts')));
    const opened = [...open.map((name) => `src/${name}`), ...Object.values(GUARDED_MODULES).flat()];
    expect(opened.filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe('planted', () => {
  const plants = [...rooms.flatMap((room) => plantsIn(room)), ...plantsBeside(), ...strangers(), ...circle()];
  let copy = '';
  let refused: ReadonlyMap<string, readonly string[]> = new Map();

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'walls-'));
    await cp('scripts/lint', join(copy, 'scripts/lint'), { recursive: true });
    // The project's own rules. Types are left out: they take long, and no wall is made of them.
    const { options: _, ...config } = JSON.parse(await readFile('.oxlintrc.json', 'utf8')) as Record<string, unknown>;
    await writeFile(join(copy, '.oxlintrc.json'), JSON.stringify(config));
    for (const { file, lines } of plants) {
      await mkdir(dirname(join(copy, file)), { recursive: true });
      await writeFile(join(copy, file), `${lines.join('\n')}\n`);
    }
    refused = await lint(copy);
  });

  afterAll(async () => await rm(copy, { recursive: true, force: true }));

  test.each([
    ...rooms.map((room) => ({ place: room, room })),
    { place: 'the folders beside and around', room: undefined },
  ])('in $place: what is open passes, all else is refused with its wall', ({ room }) => {
    const lines = plants.filter(({ file }) => roomOf(file) === room).flatMap(linesOf);
    const told = lines.map(({ at, line }) => [line, ...(refused.get(at) ?? [])]);
    const expected = lines.map(({ line, wall }) => (wall === null ? [line] : [line, expect.stringMatching(wall)]));
    expect(told).toEqual(expected);
  });

  test('thousands, and each is refused', () => {
    const forbidden = plants.flatMap(linesOf).filter(({ wall }) => wall !== null);
    expect(forbidden.length).toBeGreaterThan(10_000);
    expect(forbidden.filter(({ at }) => refused.has(at))).toHaveLength(forbidden.length);
  });
});

function plantsIn(room: string): readonly Plant[] {
  const { imports, packages = [] } = ROOMS[room]!;
  const open = imports.filter((name) => name.endsWith('.ts'));
  const known = [...new Set(names.flatMap((name) => ROOMS[name]!.packages ?? [])), 'left-pad', '/etc/passwd.ts'];
  const modules = Object.keys(GUARDED_MODULES).flatMap((name) => [name, `node:${name}`]);
  return DEPTHS.flatMap((depth) => {
    const folder = `src/${room}/${depth}`;
    const others = names.map((other) => {
      const wall = new RegExp(`^${room} may (not import ${other}:|import of ${other} only )`);
      const passes = other === room || imports.includes(other);
      return { name: other, to: fileOf(other, open), wall: passes ? null : wall };
    });
    const areas = Object.keys(AREAS).filter((area) => area !== 'src');
    const beside = areas.map((area) => ({
      name: area,
      to: fileIn(area),
      wall: new RegExp(`^src may not import ${area}:`),
    }));
    const contracts = open.map((name) => ({ name, to: `src/${name}`, wall: null }));
    const reads = room === 'config' ? null : /^'process\.env'|^'globalThis\.process'/;
    return [
      ...[...others, ...beside, ...contracts].map(({ name, to, wall }) => plantImports(folder, name, to, wall)),
      plant(`${folder}packages.ts`, known.filter((name) => !packages.includes(name)).map(importLine), /may not import/),
      plant(`${folder}own-packages.ts`, packages.flatMap((name) => [name, `${name}/part`]).map(importLine), null),
      plant(`${folder}modules.ts`, modules.map(importLine), /^node:\w+ is only for /),
      plant(`${folder}free-modules.ts`, ['node:fs', 'node:timers/promises'].map(importLine), null),
      plant(`${folder}unseen.ts`, [`void import(name);`, `void import(\`./\${name}.ts\`);`], /at run time/),
      plant(`${folder}environment.ts`, room === 'config' ? ENVIRONMENT.slice(0, -1) : ENVIRONMENT, reads),
      plant(`${folder}exit.ts`, EXIT, room === 'cli' ? null : /^'process\.exit'/),
    ];
  });
}

function plantsBeside(): readonly Plant[] {
  const areas = Object.keys(AREAS).filter((area) => area !== 'src');
  return areas.flatMap((area) =>
    DEPTHS.flatMap((depth) =>
      Object.keys(AREAS).map((other) => {
        const passes = other === area || AREAS[area]!.imports.includes(other);
        const wall = passes ? null : new RegExp(`^${area} may not import ${other}:`);
        return plantImports(`${area}/${depth}`, other, fileIn(other), wall);
      }),
    ),
  );
}

/** Files of src without a room, and those who would import them. */
function strangers(): readonly Plant[] {
  const nowhere = ['src/stray.ts', 'src/new-room/first.ts', 'src/new-room/deep/second.ts'];
  return [
    ...nowhere.map((file) => plant(file, ['export const one = 1;'], /is no room/)),
    ...nowhere.map((file, index) =>
      plantImports('src/cli/planted/', `stranger-${index}`, file, new RegExp(`^cli may not import ${file}:`)),
    ),
  ];
}

/** Two files of one room that need each other. */
function circle(): readonly Plant[] {
  return [
    plant('src/vision/planted/one.ts', [`export { value } from './other.ts';`], /^Dependency cycle/),
    plant('src/vision/planted/other.ts', [`export { value } from './one.ts';`], /^Dependency cycle/),
  ];
}

function plantImports(folder: string, name: string, to: string, wall: RegExp | null): Plant {
  const path = posix.relative(folder, to);
  const lines = WAYS.map((way) => way(path.startsWith('.') ? path : `./${path}`));
  return plant(`${folder}to-${name.replaceAll(/\W/g, '-')}.ts`, lines, wall);
}

function plant(file: string, lines: readonly string[], wall: RegExp | null): Plant {
  return { file, lines, wall };
}

function importLine(name: string, index: number): string {
  return `import * as value${index} from '${name}';`;
}

function linesOf({ file, lines, wall }: Plant): readonly { at: string; line: string; wall: RegExp | null }[] {
  return lines.map((line, index) => ({ at: `${file}:${index + 1}`, line: `${file}: ${line}`, wall }));
}

function roomOf(file: string): string | undefined {
  const around = names.filter((name) => file.startsWith(`src/${name}/`));
  return around.sort((a, b) => b.length - a.length)[0];
}

function roomNamed(name: string): string {
  return name.endsWith('.ts') ? roomOf(`src/${name}`)! : name;
}

/** A real file of the room, but none that is open by itself. */
function fileOf(room: string, open: readonly string[]): string {
  return files.find((file) => roomOf(file) === room && !open.includes(file.slice('src/'.length)))!;
}

function fileIn(area: string): string {
  return files.find((file) => file.startsWith(`${area}/`))!;
}

/** What the walls say, by `file:line`. */
async function lint(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const output = await new Promise<string>((done, fail) => {
    const oxlint = join(process.cwd(), 'node_modules/oxlint/bin/oxlint');
    const options = { cwd: folder, maxBuffer: 1 << 28 };
    execFile(process.execPath, [oxlint, '--format=json'], options, (error, stdout, stderr) => {
      // It exits with 1 where it has something to say.
      if (error === null || error.code === 1) done(stdout);
      else fail(new Error(`oxlint failed: ${stderr}`, { cause: error }));
    });
  });
  const { diagnostics } = JSON.parse(output) as { diagnostics: readonly Diagnostic[] };
  const said = new Map<string, string[]>();
  for (const { code, message, filename, labels } of diagnostics) {
    if (!WALLS.includes(code)) continue;
    const at = `${filename}:${labels[0]!.span.line}`;
    said.set(at, [...(said.get(at) ?? []), message]);
  }
  return said;
}

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}
