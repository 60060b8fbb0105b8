import { VISIBLE_SHARE } from '../../../src/evaluation/match-frame.ts';
import type { Truth, TruthBox, TruthFrame, TruthPerson } from '../../../src/evaluation/truth.ts';
import { type DrawnPerson } from './draw.ts';
import { type Figure, figureOf } from './figure.ts';
import { ACTORS } from './people.ts';
import { type Extent, extentOf, insideOf } from './raster.ts';
import { FPS, HEIGHT, SECONDS, sceneAt, WIDTH } from './scene.ts';
import { FURNITURE, ZONES, type Zone } from './store.ts';

/** What is known about the demo video; written beside it as JSON, with what only drawing knows. */
export interface SceneTruth extends Truth {
  readonly video: Truth['video'] & { readonly fps: number; readonly frames: number; readonly seconds: number };
  readonly zones: readonly Zone[];
  readonly persons: (Truth['persons'][number] & {
    /** The first and last frame's time at which the person is not hidden. */
    readonly firstSeconds: number;
    readonly lastSeconds: number;
  })[];
}

/** The truth about all frames, or about those with the given numbers only. */
export function truthOfScene(indices: readonly number[] = [...Array(FPS * SECONDS).keys()]): SceneTruth {
  const frames = indices.map(truthOfFrame);
  const persons = ACTORS.map((actor) => {
    const seen = frames.filter((frame) =>
      frame.persons.some((person) => person.id === actor.id && person.visible >= VISIBLE_SHARE),
    );
    const [first, last] = [seen[0]?.seconds ?? 0, seen.at(-1)?.seconds ?? 0];
    return { id: actor.id, age: actor.age, gender: actor.gender, firstSeconds: first, lastSeconds: last };
  });
  const events = ACTORS.flatMap((actor) =>
    actor.stretches.map((stretch) => ({
      person: actor.id,
      action: stretch.action,
      beginSeconds: stretch.from,
      endSeconds: stretch.to,
    })),
  );
  return {
    format: 1,
    video: { width: WIDTH, height: HEIGHT, fps: FPS, frames: FPS * SECONDS, seconds: SECONDS },
    zones: ZONES,
    persons,
    events,
    frames,
  };
}

function truthOfFrame(index: number): TruthFrame {
  const seconds = index / FPS;
  const drawn = sceneAt(seconds).map((person) => ({ person, figure: figureOf(person) }));
  return { index, seconds, persons: drawn.filter(isInside).map((item) => truthOfPerson(item, drawn)) };
}

function truthOfPerson(item: DrawnPerson, everybody: readonly DrawnPerson[]): TruthPerson {
  const { person, figure } = item;
  const covers = coversBefore(person.footY, everybody);
  const body = coverOf(figure);
  const face = figure.face;
  return {
    id: person.id,
    box: toBox(figure.box),
    visible: visibleShare(body, figure.box, covers, 4),
    orientation: round(person.orientation),
    action: person.action,
    face: face === null ? null : toBox(face),
    faceVisible: face === null ? 0 : visibleShare(body, face, covers, 2),
  };
}

type Cover = (x: number, y: number) => boolean;

function coverOf(figure: Figure): Cover {
  const tests = figure.parts.map((part) => ({
    inside: insideOf(part.shape, part.outline),
    extent: extentOf(part.shape, part.outline),
  }));
  return (x, y) =>
    tests.some(
      ({ inside, extent }) => x >= extent.x1 && x <= extent.x2 && y >= extent.y1 && y <= extent.y2 && inside(x, y),
    );
}

/** What is drawn in front of the floor line `depth`. */
function coversBefore(depth: number, everybody: readonly DrawnPerson[]): readonly Cover[] {
  const furniture = FURNITURE.filter((item) => item.depth > depth).map(
    (item): Cover =>
      (x, y) =>
        item.blocks.some((block) => x >= block[0] && x < block[2] && y >= block[1] && y < block[3]),
  );
  const nearer = everybody.filter((item) => item.person.footY > depth);
  const people = nearer.map((item): Cover => {
    const cover = coverOf(item.figure);
    const box = item.figure.box;
    return (x, y) => x >= box.x1 && x <= box.x2 && y >= box.y1 && y <= box.y2 && cover(x, y);
  });
  return [...furniture, ...people];
}

function visibleShare(body: Cover, extent: Extent, covers: readonly Cover[], step: number): number {
  let [all, seen] = [0, 0];
  for (let y = extent.y1 + step / 2; y < extent.y2; y += step) {
    for (let x = extent.x1 + step / 2; x < extent.x2; x += step) {
      if (!body(x, y)) continue;
      all++;
      const inside = x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT;
      if (inside && !covers.some((cover) => cover(x, y))) seen++;
    }
  }
  return all === 0 ? 0 : round(seen / all);
}

function isInside({ figure }: DrawnPerson): boolean {
  return figure.box.x2 > 0 && figure.box.x1 < WIDTH && figure.box.y2 > 0 && figure.box.y1 < HEIGHT;
}

function toBox(extent: Extent): TruthBox {
  return [round(extent.x1), round(extent.y1), round(extent.x2), round(extent.y2)];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
