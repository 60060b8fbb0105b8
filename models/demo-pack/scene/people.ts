import type { ActionLabel } from './visual-code.ts';

/** What a person does from one time to the next; places change evenly in between. */
export interface Stretch {
  /** Seconds. */
  readonly from: number;
  readonly to: number;
  /** Pixels of the feet's middle at the beginning and the end. */
  readonly x: readonly [number, number];
  /** The floor line of the feet in pixels: larger is nearer to the camera. */
  readonly footY: readonly [number, number];
  /** Degrees: 0 back to the camera, 90 image-left, 180 towards the camera, 270 image-right. */
  readonly heading: number;
  readonly action: ActionLabel;
  /** True while a person who lay on the floor rises. */
  readonly rising?: boolean;
}

export interface Actor {
  readonly id: string;
  readonly age: number;
  readonly gender: 'male' | 'female';
  /** Height relative to the grown-ups of the scene. */
  readonly stature: number;
  readonly stretches: readonly Stretch[];
}

/** Everybody who appears in the demo store, and when. Stretches of one actor follow each other without a gap. */
export const ACTORS: readonly Actor[] = [
  {
    id: 'cashier',
    age: 34,
    gender: 'female',
    stature: 1,
    stretches: [
      { from: 1, to: 4, x: [1350, 1070], footY: [540, 540], heading: 90, action: 'walking' },
      { from: 4, to: 30, x: [1070, 1070], footY: [540, 540], heading: 180, action: 'standing' },
    ],
  },
  {
    id: 'buyer',
    age: 62,
    gender: 'male',
    stature: 1,
    stretches: [
      { from: 0.8, to: 4.6, x: [-100, 420], footY: [620, 620], heading: 270, action: 'walking' },
      { from: 4.6, to: 9, x: [420, 420], footY: [620, 620], heading: 20, action: 'grabbing' },
      { from: 9, to: 14, x: [420, 930], footY: [620, 620], heading: 270, action: 'walking' },
      { from: 14, to: 18.5, x: [930, 930], footY: [620, 620], heading: 320, action: 'paying' },
      { from: 18.5, to: 23, x: [930, 1400], footY: [620, 620], heading: 270, action: 'walking' },
    ],
  },
  {
    id: 'visitor',
    age: 25,
    gender: 'female',
    stature: 1,
    stretches: [
      { from: 3, to: 11, x: [-100, 830], footY: [505, 505], heading: 270, action: 'walking' },
      { from: 11, to: 14.5, x: [830, 830], footY: [505, 505], heading: 185, action: 'standing' },
      { from: 14.5, to: 21.5, x: [830, -100], footY: [505, 505], heading: 90, action: 'walking' },
    ],
  },
  {
    id: 'boy',
    age: 12,
    gender: 'male',
    stature: 0.85,
    stretches: [
      { from: 5, to: 12, x: [1380, 190], footY: [685, 685], heading: 95, action: 'walking' },
      { from: 12, to: 20.5, x: [190, 190], footY: [685, 685], heading: 215, action: 'sitting' },
      { from: 20.5, to: 23, x: [190, -110], footY: [685, 685], heading: 90, action: 'walking' },
    ],
  },
  {
    id: 'elder',
    age: 78,
    gender: 'female',
    stature: 0.95,
    stretches: [
      { from: 9.5, to: 14.5, x: [1380, 560], footY: [650, 650], heading: 90, action: 'walking' },
      { from: 14.5, to: 20, x: [560, 560], footY: [650, 650], heading: 150, action: 'falling' },
      { from: 20, to: 21.4, x: [560, 560], footY: [650, 650], heading: 165, action: 'none', rising: true },
      { from: 21.4, to: 23.5, x: [560, 560], footY: [650, 650], heading: 180, action: 'standing' },
      { from: 23.5, to: 28.5, x: [560, 1390], footY: [650, 650], heading: 270, action: 'walking' },
    ],
  },
  {
    id: 'passer',
    age: 41,
    gender: 'male',
    stature: 1,
    stretches: [
      { from: 15, to: 20, x: [-110, 340], footY: [702, 702], heading: 275, action: 'walking' },
      { from: 20, to: 24.5, x: [340, 340], footY: [702, 702], heading: 180, action: 'none' },
      { from: 24.5, to: 29, x: [340, -120], footY: [702, 702], heading: 85, action: 'walking' },
    ],
  },
  {
    id: 'student',
    age: 19,
    gender: 'female',
    stature: 0.97,
    stretches: [
      { from: 17, to: 23, x: [1380, 455], footY: [600, 600], heading: 90, action: 'walking' },
      { from: 23, to: 30, x: [455, 455], footY: [600, 600], heading: 335, action: 'grabbing' },
    ],
  },
];
