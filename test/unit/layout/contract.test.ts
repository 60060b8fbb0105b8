import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { AREAS, ROOMS } from '../../../scripts/lint/rooms.ts';
import { importLine, linesOf, lintPlants, plant, type Plant } from './planted.ts';
import { importsOf, packageOf, SOURCES } from './sources.ts';

/** What the design says of rooms, a room inside another included. */
interface Clause {
  readonly rooms: readonly string[];
  /** What they do not import, nor by way of what they do import. */
  readonly never: readonly string[];
  /** What they import through another room is that room's business. */
  readonly directly?: true;
  /** Files that are open all the same. */
  readonly but?: readonly string[];
}

const EVERY_ROOM = readdirSync('src').filter((name) => name !== 'generated');

/**
 * The walls of the design, written out a second time and by hand. The linter and the test of its table both believe rooms.ts: they
 * would agree to a wall that is taken out there.
 */
const CONTRACT: readonly Clause[] = [
  { rooms: ['text', 'time', 'vision'], never: [...EVERY_ROOM, 'generated/prisma'] },
  { rooms: ['failure'], never: [...EVERY_ROOM.filter((room) => room !== 'text'), 'generated/prisma'] },
  { rooms: ['queue'], never: ['queue/sqs', 'storage', 'video', 'persistence'] },
  { rooms: ['queue/sqs'], never: ['storage', 'video', 'persistence'] },
  { rooms: ['storage'], never: ['queue', 'video', 'persistence'] },
  { rooms: ['video'], never: ['queue', 'storage', 'persistence'] },
  { rooms: ['persistence'], never: ['queue', 'storage'] },
  // The types of the findings that it stores name a frame.
  { rooms: ['persistence'], never: ['video'], directly: true },
  {
    rooms: ['worker'],
    never: ['video', 'analysis', 'persistence', 'storage', 'chain', 'inference', 'packs', 'queue/sqs', 'job'],
  },
  { rooms: ['inference'], never: ['packs', 'graphs', 'chain', 'analysis'] },
  { rooms: ['chain'], never: ['analysis', 'persistence'] },
  { rooms: ['preparation'], never: ['analysis', 'persistence', 'storage', 'queue', 'worker', 'job'] },
  { rooms: ['analysis'], never: ['persistence', 'worker', 'queue'] },
  { rooms: ['job'], never: ['worker'], directly: true, but: ['worker/delivery.ts'] },
  { rooms: EVERY_ROOM.filter((name) => name !== 'cli' && name !== 'config'), never: ['config'] },
  { rooms: EVERY_ROOM.filter((name) => name !== 'cli'), never: ['cli'] },
  { rooms: EVERY_ROOM.filter((name) => name !== 'cli' && name !== 'preparation'), never: ['preparation'] },
  { rooms: EVERY_ROOM.filter((name) => name !== 'local'), never: ['local'] },
];

const NOT_FOR_ANALYSIS = /^@aws-sdk\/|^@smithy\/|^onnxruntime-node$/;

describe('the design', () => {
  test.each(CONTRACT)('$rooms: never $never', ({ rooms, never, directly, but = [] }) => {
    const reached = roomsOf(rooms, never).flatMap((room) => {
      const places = directly === true ? ROOMS[room]!.imports.map(placeOf) : reachOf(room);
      const broken = places.filter((place) => never.some((name) => place !== `src/${room}/` && isIn(place, name)));
      return broken.filter((place) => !but.some((file) => place === `src/${file}`)).map((place) => `${room}: ${place}`);
    });
    expect(reached).toEqual([]);
  });

  test('analysis: no AWS and no ONNX', () => {
    const packages = reachOf('analysis').flatMap((place) =>
      place.startsWith('src/') ? (ROOMS[place.slice('src/'.length, -1)]?.packages ?? []) : [packageOf(place)],
    );
    expect([...packages, ...(ROOMS['analysis']!.packages ?? [])].filter((name) => NOT_FOR_ANALYSIS.test(name))).toEqual(
      [],
    );
  });

  test('only scripts and tests start commands and emulators', () => {
    const starters = Object.keys(AREAS).filter((area) => {
      const { imports, closed = [] } = AREAS[area]!;
      return imports.includes('src') && !(closed.includes('cli') && closed.includes('local'));
    });
    expect(starters).toEqual(['scripts', 'test']);
  });
});

describe('planted', () => {
  const plants = [...CONTRACT.flatMap(plantsOf), ...packagesInAnalysis(), ...commandsBeside()];
  let refused: ReadonlyMap<string, readonly string[]> = new Map();

  beforeAll(async () => {
    refused = await lintPlants(plants);
  });

  test('every file that a room never imports is refused in it, at any depth', () => {
    const lines = plants.flatMap(linesOf);
    const isRefused = lines.map(({ at, line }) => `${line} ${refused.has(at) ? 'refused' : 'open'}`);
    expect(isRefused).toEqual(lines.map(({ line, wall }) => `${line} ${wall === null ? 'open' : 'refused'}`));
    expect(lines.filter(({ wall }) => wall !== null).length).toBeGreaterThan(4_000);
  });
});

function plantsOf({ rooms, never, but = [] }: Clause, clause: number): readonly Plant[] {
  const isOpen = (file: string): boolean => but.some((name) => file === `src/${name}`);
  return roomsOf(rooms, never).flatMap((room) =>
    [`src/${room}/`, `src/${room}/planted/deep/`].flatMap((folder) => {
      const targets = filesIn(never).filter((file) => !file.startsWith(`src/${room}/`));
      return [
        plantImports(
          `${folder}never-${clause}.ts`,
          targets.filter((file) => !isOpen(file)),
          /may /,
        ),
        plantImports(`${folder}but-${clause}.ts`, targets.filter(isOpen), null),
      ];
    }),
  );
}

function packagesInAnalysis(): readonly Plant[] {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
  const names = Object.keys(dependencies).filter((name) => NOT_FOR_ANALYSIS.test(name));
  return ['', 'planted/'].map((depth) =>
    plant(`src/analysis/${depth}packages.ts`, names.map(importLine), /may not import/),
  );
}

function commandsBeside(): readonly Plant[] {
  const files = filesIn(['cli', 'local']);
  return [
    plantImports('models/planted/commands.ts', files, /may not import/),
    plantImports('scripts/planted/commands.ts', files, null),
    plantImports('test/planted/commands.ts', files, null),
  ];
}

function plantImports(file: string, targets: readonly string[], wall: RegExp | null): Plant {
  const paths = targets.map((target) => posix.relative(posix.dirname(file), target));
  return plant(file, paths.map((path) => (path.startsWith('.') ? path : `./${path}`)).map(importLine), wall);
}

/** The rooms that a clause speaks of: those inside another go with it, unless it is they whom that one does not know. */
function roomsOf(rooms: readonly string[], never: readonly string[]): readonly string[] {
  return Object.keys(ROOMS).filter((name) => {
    const isMeant = rooms.some((room) => `${name}/`.startsWith(`${room}/`));
    return isMeant && (rooms.includes(name) || !never.some((other) => `${name}/`.startsWith(`${other}/`)));
  });
}

/** What the table opens to a room, from room to room; where only a file is open, what that file really imports. */
function reachOf(room: string): readonly string[] {
  const reached = new Set<string>();
  const open = (place: string): void => {
    if (reached.has(place)) return;
    reached.add(place);
    if (place.endsWith('.ts')) importsOf(place).forEach(open);
    else for (const name of ROOMS[place.slice('src/'.length, -1)]?.imports ?? []) open(placeOf(name));
  };
  ROOMS[room]!.imports.map(placeOf).forEach(open);
  return [...reached];
}

function placeOf(name: string): string {
  return name.endsWith('.ts') ? `src/${name}` : `src/${name}/`;
}

function isIn(place: string, room: string): boolean {
  return place.startsWith(`src/${room}/`);
}

function filesIn(rooms: readonly string[]): readonly string[] {
  return SOURCES.filter((file) => rooms.some((room) => isIn(file, room)));
}
