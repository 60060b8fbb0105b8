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

/** What covers points of one row of the picture; null where nothing does. */
type RowCover = ((x: number) => boolean) | null;
/** A row at a time: most parts of a figure do not reach into it, which is found out once for all its points. */
type Cover = (y: number) => RowCover;

function coverOf(figure: Figure): Cover {
  const parts = figure.parts.map((part) => ({
    inside: insideOf(part.shape, part.outline),
    extent: extentOf(part.shape, part.outline),
  }));
  return (y) => {
    const reaching = parts.filter(({ extent }) => y >= extent.y1 && y <= extent.y2);
    if (reaching.length === 0) return null;
    return (x) => {
      for (const { inside, extent } of reaching) if (x >= extent.x1 && x <= extent.x2 && inside(x, y)) return true;
      return false;
    };
  };
}

/** What is drawn in front of the floor line `depth`. */
function coversBefore(depth: number, everybody: readonly DrawnPerson[]): readonly Cover[] {
  const furniture = FURNITURE.filter((item) => item.depth > depth).map((item): Cover => {
    return (y) => {
      const blocks = item.blocks.filter((block) => y >= block[1] && y < block[3]);
      return blocks.length === 0 ? null : (x) => blocks.some((block) => x >= block[0] && x < block[2]);
    };
  });
  const nearer = everybody.filter((item) => item.person.footY > depth);
  const people = nearer.map(({ figure }): Cover => {
    const cover = coverOf(figure);
    const { x1, y1, x2, y2 } = figure.box;
    return (y) => {
      const row = y >= y1 && y <= y2 ? cover(y) : null;
      return row === null ? null : (x) => x >= x1 && x <= x2 && row(x);
    };
  });
  return [...furniture, ...people];
}

function visibleShare(body: Cover, extent: Extent, covers: readonly Cover[], step: number): number {
  let [all, seen] = [0, 0];
  for (let y = extent.y1 + step / 2; y < extent.y2; y += step) {
    const inBody = body(y);
    if (inBody === null) continue;
    const inRow = y >= 0 && y < HEIGHT;
    const before = inRow ? covers.map((cover) => cover(y)).filter((row) => row !== null) : [];
    for (let x = extent.x1 + step / 2; x < extent.x2; x += step) {
      if (!inBody(x)) continue;
      all++;
      if (inRow && x >= 0 && x < WIDTH && !before.some((covered) => covered(x))) seen++;
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
