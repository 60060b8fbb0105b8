import { ACTORS, type Actor, type Stretch } from './people.ts';
import type { ActionLabel } from './visual-code.ts';

export const WIDTH = 1280;
export const HEIGHT = 720;
export const FPS = 25;
export const SECONDS = 30;

/** One person at one moment, as far as drawing needs it; lengths in pixels of the picture. */
export interface Person {
  readonly id: string;
  readonly age: number;
  readonly gender: 'male' | 'female';
  /** The feet's middle. */
  readonly x: number;
  readonly footY: number;
  /** Standing height. */
  readonly height: number;
  /** Degrees: 0 back to the camera, 90 image-left, 180 towards the camera, 270 image-right. */
  readonly orientation: number;
  readonly action: ActionLabel;
  /** Radians: the angle of the step's swing. */
  readonly stride: number;
  /** Radians: 0 upright, towards the image's right when positive. */
  readonly lean: number;
  /** 0..1: how far the pose of the action is taken up (arm stretched out, body lowered onto the seat). */
  readonly pose: number;
}

const TURN_SECONDS = 0.4;
const POSE_SECONDS = 0.4;
const FALL_SECONDS = 0.9;
const LYING = 1.42;

/** Everybody in the scene at `seconds`, also those who are outside the picture, in the order of the actors' list. */
export function sceneAt(seconds: number): readonly Person[] {
  const people: Person[] = [];
  for (const actor of ACTORS) {
    const index = actor.stretches.findIndex((stretch) => seconds >= stretch.from && seconds < stretch.to);
    const stretch = actor.stretches[index];
    if (stretch !== undefined) people.push(personAt(actor, stretch, actor.stretches[index - 1], seconds));
  }
  return people;
}

function personAt(actor: Actor, stretch: Stretch, before: Stretch | undefined, seconds: number): Person {
  const since = seconds - stretch.from;
  const share = since / (stretch.to - stretch.from);
  const x = mix(stretch.x, share);
  const footY = mix(stretch.footY, share);
  const turn = Math.min(1, since / TURN_SECONDS);
  const from = before?.heading ?? stretch.heading;
  return {
    id: actor.id,
    age: actor.age,
    gender: actor.gender,
    x,
    footY,
    height: (290 + (footY - 480) * 0.5) * actor.stature,
    orientation: modulo(from + turn * shortestTurn(from, stretch.heading), 360),
    action: stretch.action,
    stride: stretch.action === 'walking' ? since * 6.5 : 0,
    lean: leanAt(stretch, since),
    pose: Math.min(1, since / POSE_SECONDS, (stretch.to - seconds) / POSE_SECONDS),
  };
}

function leanAt(stretch: Stretch, since: number): number {
  if (stretch.rising === true) return LYING * (1 - smooth(since / (stretch.to - stretch.from)));
  if (stretch.action === 'falling') return LYING * smooth(since / FALL_SECONDS);
  return 0;
}

function mix(ends: readonly [number, number], share: number): number {
  return ends[0] + (ends[1] - ends[0]) * share;
}

function smooth(value: number): number {
  const share = Math.min(1, Math.max(0, value));
  return share * share * (3 - 2 * share);
}

/** Degrees from one heading to another by the shorter way, -180..180. */
export function shortestTurn(from: number, to: number): number {
  return modulo(to - from + 180, 360) - 180;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
