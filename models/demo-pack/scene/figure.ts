import { type Capsule, type Extent, extentOf, type Paint, type Polygon, type Shape } from './raster.ts';
import { type Person, WIDTH } from './scene.ts';
import {
  actionColour,
  FACE_ASPECT,
  hairColour,
  OUTLINE,
  placeColour,
  type Rgb,
  sizeColour,
  skinColour,
  visorColour,
} from './visual-code.ts';

export interface Part {
  readonly shape: Shape;
  readonly paint: Paint;
  /** Width of the dark line around the shape, in pixels; 0 for none. */
  readonly outline: number;
}

export interface Figure {
  /** Back to front. */
  readonly parts: readonly Part[];
  /** The whole body with its outlines, also where it is hidden or outside the picture. */
  readonly box: Extent;
  /** Null while the face is turned away. */
  readonly face: Extent | null;
}

type Point = readonly [number, number];

// Lengths are in standing heights: x to the image's right, y up, the feet at the origin.
const SHOULDER = 0.79;
const HIP = 0.46;
const STRIPE = 0.055;
const FACE_RADIUS = 0.065;
const FACE_DROP = 0.042;

/** The shapes of one person in picture pixels, with the colours of the visual code. */
export function figureOf(person: Person): Figure {
  const pose = poseOf(person);
  const face = pose.faceVisible ? extentOf(faceShape(person, pose), 0) : null;
  const outline = Math.max(2.5, person.height * 0.009);
  const box = grow(boxOf(bodyShapes(person, pose)), outline);
  const parts: Part[] = [];
  for (const item of bodyShapes(person, pose)) {
    parts.push({ shape: item.shape, paint: paintOf(item.kind, person, pose, box), outline });
  }
  if (face !== null) {
    parts.push({
      shape: faceShape(person, pose),
      paint: skinColour(person.age, person.gender),
      outline: outline * 0.8,
    });
    const visorPaint = (x: number): Rgb =>
      visorColour((x - face.x1) / (face.x2 - face.x1), (face.y2 - face.y1) / WIDTH);
    parts.push({ shape: visorShape(person, pose), paint: visorPaint, outline: 0 });
  }
  return { parts, box, face };
}

type PartKind = 'shoe' | 'skin' | 'action' | 'shirt' | 'hair';

interface Pose {
  /** -1 facing image-left .. 1 facing image-right. */
  readonly side: number;
  /** The side of the arm that acts. */
  readonly hand: -1 | 1;
  readonly faceVisible: boolean;
  /** How far the hips are lowered. */
  readonly sink: number;
  readonly swing: number;
}

function poseOf(person: Person): Pose {
  const angle = (person.orientation * Math.PI) / 180;
  const side = -Math.sin(angle);
  return {
    side,
    hand: side < -0.1 ? -1 : 1,
    faceVisible: Math.cos(angle) < 0.25,
    sink: person.action === 'sitting' ? 0.17 * person.pose : 0,
    swing: Math.sin(person.stride),
  };
}

function bodyShapes(person: Person, pose: Pose): readonly { readonly kind: PartKind; readonly shape: Shape }[] {
  const near = pose.hand;
  const width = 0.115 - 0.02 * Math.abs(pose.side);
  const top = SHOULDER - pose.sink;
  const hip = HIP - pose.sink;
  return [
    ...legShapes(person, pose, -1),
    ...legShapes(person, pose, 1),
    { kind: 'action', shape: capsule(person, [-0.045, hip], [0.045, hip], 0.055) },
    ...armShapes(person, pose, near === 1 ? -1 : 1),
    { kind: 'skin', shape: capsule(person, [0, top], [0, top + 0.04], 0.035) },
    {
      kind: 'shirt',
      shape: polygon(person, [
        [-width, top],
        [width, top],
        [0.085, hip],
        [-0.085, hip],
      ]),
    },
    ...armShapes(person, pose, near),
    { kind: 'hair', shape: ellipse(person, [0, top + 0.11], 0.088, 0.1) },
  ];
}

function legShapes(person: Person, pose: Pose, leg: -1 | 1): { kind: PartKind; shape: Shape }[] {
  const seated = pose.sink / 0.17;
  const swing = pose.swing * leg;
  const hip: Point = [leg * 0.045, HIP - 0.02 - pose.sink];
  const knee: Point = [
    leg * (0.045 + 0.03 * seated) + pose.side * (0.09 * swing + 0.15 * seated),
    0.27 - 0.02 * seated,
  ];
  const ankle: Point = [
    leg * (0.045 + 0.03 * seated) + pose.side * (0.16 * swing + 0.13 * seated),
    0.05 + 0.05 * Math.max(0, swing) * (1 - Math.abs(pose.side)),
  ];
  const toe: Point = [ankle[0] + 0.06 * pose.side, ankle[1] - 0.02];
  return [
    { kind: 'skin', shape: capsule(person, knee, ankle, 0.042) },
    { kind: 'shoe', shape: capsule(person, [ankle[0], ankle[1] - 0.02], toe, 0.03) },
    { kind: 'action', shape: capsule(person, hip, knee, 0.056) },
  ];
}

function armShapes(person: Person, pose: Pose, arm: -1 | 1): { kind: PartKind; shape: Shape }[] {
  const top = SHOULDER - 0.03 - pose.sink;
  const swing = -pose.swing * arm * pose.side;
  const shoulder: Point = [arm * (0.115 - 0.02 * Math.abs(pose.side)), top];
  let elbow: Point = [arm * 0.155 + 0.07 * swing, top - 0.14];
  let hand: Point = [arm * 0.165 + 0.15 * swing, top - 0.28];
  const target = arm === pose.hand ? reachOf(person) : null;
  if (target !== null) {
    elbow = mixPoint(elbow, [arm * target.elbow[0], top + target.elbow[1]], person.pose);
    hand = mixPoint(hand, [arm * target.hand[0], top + target.hand[1]], person.pose);
  }
  return [
    { kind: 'skin', shape: capsule(person, elbow, hand, 0.034) },
    { kind: 'action', shape: capsule(person, shoulder, elbow, 0.042) },
  ];
}

/** Where the acting arm goes, from the shoulder's height. */
function reachOf(person: Person): { readonly elbow: Point; readonly hand: Point } | null {
  if (person.action === 'grabbing') return { elbow: [0.22, -0.05], hand: [0.33, 0.03] };
  if (person.action === 'paying') return { elbow: [0.2, -0.12], hand: [0.32, -0.15] };
  if (person.action === 'none' && person.lean === 0) return { elbow: [0.22, 0.04], hand: [0.24, 0.2] };
  return null;
}

function paintOf(kind: PartKind, person: Person, pose: Pose, box: Extent): Paint {
  if (kind === 'skin') return skinColour(person.age, person.gender);
  if (kind === 'action') return actionColour(person.action);
  if (kind === 'hair') return hairColour(person.orientation);
  if (kind === 'shoe') return OUTLINE;
  const [width, height] = [box.x2 - box.x1, box.y2 - box.y1];
  const size = sizeColour(width / WIDTH, height / WIDTH);
  const top = SHOULDER - pose.sink;
  const [cos, sin] = [Math.cos(person.lean), Math.sin(person.lean)];
  const middle = liftedFoot(person);
  return (x, y) => {
    const along = ((x - person.x) * sin + (middle - y) * cos) / person.height;
    const stripe = ((top - along) / STRIPE) | 0;
    return stripe % 2 === 0 ? placeColour((x - box.x1) / width, (y - box.y1) / height) : size;
  };
}

function faceShape(person: Person, pose: Pose): Shape {
  const top = SHOULDER - pose.sink;
  return ellipse(person, [0.045 * pose.side, top + 0.11 - FACE_DROP], FACE_RADIUS * FACE_ASPECT, FACE_RADIUS);
}

function visorShape(person: Person, pose: Pose): Shape {
  const [x, y] = [0.045 * pose.side, SHOULDER - pose.sink + 0.11 - FACE_DROP];
  const [dx, dy] = [0.05, 0.025];
  return polygon(person, [
    [x - dx, y + dy],
    [x + dx, y + dy],
    [x + dx, y - dy],
    [x - dx, y - dy],
  ]);
}

/** A body that lies is as thick as it is, so its middle line is above the floor. */
function liftedFoot(person: Person): number {
  return person.footY - 0.12 * person.height * Math.sin(person.lean);
}

function place(person: Person, point: Point): Point {
  const [cos, sin] = [Math.cos(person.lean), Math.sin(person.lean)];
  return [
    person.x + person.height * (point[0] * cos + point[1] * sin),
    liftedFoot(person) - person.height * (point[1] * cos - point[0] * sin),
  ];
}

function capsule(person: Person, from: Point, to: Point, radius: number): Capsule {
  const [a, b] = [place(person, from), place(person, to)];
  return { kind: 'capsule', x1: a[0], y1: a[1], x2: b[0], y2: b[1], radius: radius * person.height };
}

function ellipse(person: Person, centre: Point, radiusX: number, radiusY: number): Shape {
  const [x, y] = place(person, centre);
  const { height, lean } = person;
  return { kind: 'ellipse', x, y, radiusX: radiusX * height, radiusY: radiusY * height, angle: lean };
}

function polygon(person: Person, points: readonly Point[]): Polygon {
  return { kind: 'polygon', points: points.map((point) => place(person, point)) };
}

function mixPoint(from: Point, to: Point, share: number): Point {
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
}

function boxOf(items: readonly { readonly shape: Shape }[]): Extent {
  const extents = items.map((item) => extentOf(item.shape, 0));
  return {
    x1: Math.min(...extents.map((extent) => extent.x1)),
    y1: Math.min(...extents.map((extent) => extent.y1)),
    x2: Math.max(...extents.map((extent) => extent.x2)),
    y2: Math.max(...extents.map((extent) => extent.y2)),
  };
}

function grow(box: Extent, by: number): Extent {
  return { x1: box.x1 - by, y1: box.y1 - by, x2: box.x2 + by, y2: box.y2 + by };
}
