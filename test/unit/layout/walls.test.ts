import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  ADDRESS_MAKERS,
  AREAS,
  GROUND,
  GUARDED_MODULES,
  GUARDED_PROPERTIES,
  ROOMS,
} from '../../../scripts/lint/rooms.ts';
import { importLine, linesOf, lintPlants, plant, type Plant } from './planted.ts';
import { importsOf, packageOf, SOURCES as files } from './sources.ts';

/** Every way in which one file names another, by its path from there and from the root. */
const WAYS: readonly ((path: string, fromRoot: string) => string)[] = [
  (path) => `import * as value from '${path}';`,
  (path) => `import type * as types from '${path}';`,
  (path) => `import equals = require('${path}');`,
  (path) => `export * from '${path}';`,
  (path) => `export { name } from '${path}';`,
  (path) => `export type Inline = typeof import('${path}');`,
  (path) => `void import('${path}');`,
  (path) => `void import(\`${path}\`);`,
  (path) => `void import.meta.resolve('${path}');`,
  (path) => `void import.meta['resolve']('${path}');`,
  (path) => `void new URL('${path}', import.meta.url);`,
  (path) => `void new globalThis.URL('${path}', import.meta.url);`,
  (path) => `void threadEntry(import.meta.url, '${path.replace(/\.ts$/, '')}');`,
  (_, fromRoot) => `void new Worker('./${fromRoot}');`,
];
const DEPTHS = ['', 'planted/deep/'];
/** What is named only at run time, or under another name. */
const UNSEEN = [
  `void import(name);`,
  `void import(\`./\${name}.ts\`);`,
  `void import.meta.resolve(name);`,
  `const ask = import.meta.resolve;`,
  `const meta = import.meta;`,
  `const { resolve } = import.meta;`,
  `void new URL(\`../../\${name}.ts\`, import.meta.url);`,
  `void new URL('../../' + name, import.meta.url);`,
  `void new URL(name, here);`,
  `void new globalThis.URL(name, import.meta.url);`,
  `void threadEntry(import.meta.url, name);`,
  `import { URL as Address } from 'node:url';`,
  `const Place = URL;`,
  `const all = process;`,
  `const cast = process as unknown as Loose;`,
  `later = process;`,
  `const { ...parts } = process;`,
  `const { [name]: part } = process;`,
  `const box = { process };`,
  `const spread = { ...process };`,
  `const give = () => process;`,
  `function take(from = process) {}`,
  `class Holder { readonly held = process; }`,
  `void process[name];`,
  `const world = globalThis;`,
];
const ENVIRONMENT = [
  `void process.env['HOME'];`,
  `void process['env'];`,
  `void process?.env;`,
  `void (process as Loose).env;`,
  `const { env } = process;`,
  `const { env: variables } = process as Loose;`,
  `function read({ env } = process) {}`,
];
const OTHER_GLOBALS = [
  `void globalThis.process.env;`,
  `void (globalThis as Loose).process;`,
  `void globalThis['process'];`,
  `void globalThis.globalThis.process;`,
  `void global.process.env;`,
  `void global.global.process;`,
  `const { process: own } = globalThis;`,
  `void process.getBuiltinModule('node:child_process');`,
  `const { getBuiltinModule } = process;`,
];
const EXIT = [`process.exit(1);`, `const leave = process.exit;`];
/** Harmless neighbours of what is refused. */
const FREE = [
  `void new URL(name);`,
  `void new URL(name, 'http://localhost');`,
  `void new URL('./words.json', import.meta.url);`,
  `void import.meta.url;`,
  `void import.meta.dirname;`,
  `const { pid } = process;`,
  `void process.memoryUsage();`,
  `void watch(process);`,
  `void new Worker({ slots: 1 });`,
  `void (globalThis as Loose).Float16Array;`,
];

const names = Object.keys(ROOMS);
/** The linter passes generated code over, so it can be imported but not planted in. */
const rooms = names.filter((name) => !name.startsWith('generated/'));

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

  test('opens nothing that nobody uses', () => {
    // The ground is open to all as one, whichever of it a room needs.
    const unused = names.flatMap((room) => {
      const { imports, packages = [] } = ROOMS[room]!;
      const isGround = GROUND.every((name) => imports.includes(name));
      const opened = isGround ? imports.filter((name) => !GROUND.includes(name)) : imports;
      return [...opened, ...packages].filter((name) => !usedBy(room).has(name)).map((name) => `${room}: ${name}`);
    });
    expect(unused).toEqual([]);
    expect(GROUND.filter((name) => !rooms.some((room) => room !== name && usedBy(room).has(name)))).toEqual([]);
  });

  test('opens no folder, module or global that nobody uses', () => {
    const areas = Object.entries(AREAS).flatMap(([area, { imports }]) => {
      const used = files.filter((file) => file.startsWith(`${area}/`)).flatMap(importsOf);
      return imports.filter((other) => !used.some((path) => path.startsWith(`${other}/`)));
    });
    const modules = Object.entries(GUARDED_MODULES).flatMap(([name, open]) =>
      open.filter((file) => !importsOf(file).includes(`node:${name}`)),
    );
    const properties = Object.entries(GUARDED_PROPERTIES).flatMap(([name, { open }]) =>
      open.filter((path) => !files.some((file) => file.startsWith(path) && readFileSync(file, 'utf8').includes(name))),
    );
    const makers = ADDRESS_MAKERS.filter((file) => !readFileSync(file, 'utf8').includes('new URL(`'));
    expect([...areas, ...modules, ...properties, ...makers]).toEqual([]);
  });
});

describe('planted', () => {
  const plants = [...rooms.flatMap((room) => plantsIn(room)), ...plantsBeside(), ...strangers(), ...circle()];
  let refused: ReadonlyMap<string, readonly string[]> = new Map();

  beforeAll(async () => {
    refused = await lintPlants(plants);
  });

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
    const reads = room === 'config' ? null : /^process\.env is guarded: /;
    return [
      ...[...others, ...beside, ...contracts].map(({ name, to, wall }) => plantImports(folder, name, to, wall)),
      plant(`${folder}packages.ts`, known.filter((name) => !packages.includes(name)).map(importLine), /may not import/),
      plant(`${folder}own-packages.ts`, packages.flatMap((name) => [name, `${name}/part`]).map(importLine), null),
      plant(`${folder}modules.ts`, modules.map(importLine), /^node:\w+ is only for /),
      plant(`${folder}free-modules.ts`, ['node:fs', 'node:timers/promises'].map(importLine), null),
      plant(`${folder}unseen.ts`, UNSEEN, /at run time|under another name|by a computed name/),
      plant(
        `${folder}free.ts`,
        [...FREE, `void new URL('${posix.relative(folder, 'prisma')}', import.meta.url);`],
        null,
      ),
      plant(`${folder}environment.ts`, ENVIRONMENT, reads),
      plant(`${folder}other-globals.ts`, OTHER_GLOBALS, /^\w+\.\w+ is guarded: /),
      plant(`${folder}exit.ts`, EXIT, room === 'cli' ? null : /^process\.exit is guarded: /),
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
  const lines = WAYS.map((way) => way(path.startsWith('.') ? path : `./${path}`, to));
  return plant(`${folder}to-${name.replaceAll(/\W/g, '-')}.ts`, lines, wall);
}

function roomOf(file: string): string | undefined {
  const around = names.filter((name) => file.startsWith(`src/${name}/`));
  return around.sort((a, b) => b.length - a.length)[0];
}

/** What the files of a room import: rooms, files of src, and packages. */
function usedBy(room: string): ReadonlySet<string> {
  const named = files.filter((file) => roomOf(file) === room).flatMap(importsOf);
  const used = named.flatMap((name) => {
    const other = roomOf(name);
    return other === undefined ? [packageOf(name)] : [other, name.slice('src/'.length)];
  });
  return new Set(used);
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
