import type { Box } from '../../vision/box.ts';
import { boxCentre } from '../box-geometry.ts';
import { boxArea, boxIou, intersectionArea } from '../../vision/iou.ts';
import type { TrackingSettings } from '../settings.ts';
import { matchMotions, type Candidate, type MatchRule } from './matching.ts';
import { correctMotion, motionBox, predictMotion, startMotion, type Motion, type PictureSize } from './motion.ts';

/** What became of one box of a frame. */
export type Assignment =
  /** The person's box in this frame. */
  | { readonly kind: 'person'; readonly track: number }
  /** A second box on a person who has a better one. */
  | { readonly kind: 'duplicate'; readonly track: number }
  /** Too unsure to be a new person, and nobody expected there. */
  | { readonly kind: 'unassigned' };

export interface Tracker {
  /** One assignment per candidate, in order. Frames come in order of `t` (seconds). */
  update(t: number, candidates: readonly Candidate[]): readonly Assignment[];
}

interface Track {
  readonly id: number;
  motion: Motion;
  lastSeen: number;
  hiddenLastTime: boolean;
}

const GOOD_FIT = 0.015;
const ANY_FIT = 1e-9;
const UNSURE_MIN_IOU = 0.3;

/**
 * Gives the persons of successive frames their ids, numbered from 1 in order of appearance.
 *
 * ByteTrack's idea (Zhang et al., 2022): sure boxes are matched first and to everybody, unsure ones only continue people
 * who were in view a moment ago. Two things differ, both for sparse sampling with a small detector: the fit is not
 * overlap alone (see `similarity`), and a box that covers a person who already has one never starts another person.
 */
export function createTracker(settings: TrackingSettings, picture: PictureSize): Tracker {
  let tracks: Track[] = [];
  let nextId = 1;
  let clock = 0;

  function update(t: number, candidates: readonly Candidate[]): readonly Assignment[] {
    const elapsed = Math.max(0, t - clock);
    clock = t;
    tracks = tracks.filter((track) => t - track.lastSeen <= settings.maxGapSeconds && !hasLeft(track, picture));
    for (const track of tracks) track.motion = predictMotion(track.motion, elapsed);

    const owner: Owners = new Map();
    continueTracks(owner, tracks, candidates, settings);
    for (const track of tracks) track.hiddenLastTime = true;
    for (const [index, track] of owner) {
      const candidate = candidates[index];
      if (candidate === undefined) continue;
      track.motion = correctMotion(track.motion, candidate.box, picture);
      track.lastSeen = t;
      track.hiddenLastTime = false;
    }
    return candidates.map((candidate, index): Assignment => {
      const track = owner.get(index);
      if (track !== undefined) return { kind: 'person', track: track.id };
      const covered = coveringPerson(candidate.box, owner, candidates, settings);
      if (covered !== null) return { kind: 'duplicate', track: covered.id };
      if (candidate.score < settings.newTrackScore) return { kind: 'unassigned' };
      const motion = startMotion(candidate.box, picture);
      const started: Track = { id: nextId++, motion, lastSeen: t, hiddenLastTime: false };
      tracks.push(started);
      owner.set(index, started);
      return { kind: 'person', track: started.id };
    });
  }

  return { update };
}

/** Tracks by index of the candidate that they own in the frame at hand. */
type Owners = Map<number, Track>;

/**
 * Three rounds, each among who and what is left: sure boxes to the persons they fit; sure boxes to persons in view
 * whom they surprise (a fall between two samples); unsure boxes to persons in view.
 */
function continueTracks(
  owner: Owners,
  tracks: readonly Track[],
  candidates: readonly Candidate[],
  settings: TrackingSettings,
): void {
  const left = (wanted: (score: number) => boolean): number[] =>
    candidates.flatMap(({ score }, index) => (wanted(score) && !owner.has(index) ? [index] : []));
  const openInView = (): Track[] => {
    const taken = new Set(owner.values());
    return tracks.filter((track) => !taken.has(track) && !track.hiddenLastTime);
  };
  const isSure = (score: number): boolean => score >= settings.highScore;
  match(owner, tracks, candidates, left(isSure), { minFit: GOOD_FIT });
  releaseDoubtful(owner, candidates, settings);
  const apart = left(isSure).filter((index) => {
    const box = candidates[index]?.box;
    return box !== undefined && coveringPerson(box, owner, candidates, settings) === null;
  });
  match(owner, openInView(), candidates, apart, { minFit: ANY_FIT });
  match(
    owner,
    openInView(),
    candidates,
    left((score) => !isSure(score)),
    {
      minFit: ANY_FIT,
      allowed: (motion, box) => boxIou(motionBox(motion), box) >= UNSURE_MIN_IOU,
    },
  );
}

function match(
  owner: Owners,
  among: readonly Track[],
  candidates: readonly Candidate[],
  indices: readonly number[],
  rule: MatchRule,
): void {
  const motions = among.map(({ motion }) => motion);
  const boxes = indices.flatMap((index) => candidates[index] ?? []);
  for (const pair of matchMotions(motions, boxes, rule)) {
    const track = among[pair.motion];
    const index = indices[pair.candidate];
    if (track !== undefined && index !== undefined) owner.set(index, track);
  }
}

/** Out of the picture for good: the next one who enters there is somebody else. */
function hasLeft(track: Track, picture: PictureSize): boolean {
  if (!track.hiddenLastTime) return false;
  const { x, y } = boxCentre(motionBox(track.motion));
  return x < 0 || y < 0 || x > picture.width || y > picture.height;
}

/**
 * A hidden person must not come back as the second box of somebody in view: such a match is undone, and the box
 * becomes that person's duplicate until the two are apart.
 */
function releaseDoubtful(
  owner: Map<number, Track>,
  candidates: readonly Candidate[],
  settings: TrackingSettings,
): void {
  for (const [index, track] of owner) {
    const candidate = candidates[index];
    if (!track.hiddenLastTime || candidate === undefined) continue;
    const inView = new Map([...owner].filter(([other, { hiddenLastTime }]) => other !== index && !hiddenLastTime));
    if (coveringPerson(candidate.box, inView, candidates, settings) !== null) owner.delete(index);
  }
}

/** The person whose box shares most with this one, when it shares enough of the smaller of the two. */
function coveringPerson(
  box: Box,
  owner: ReadonlyMap<number, Track>,
  candidates: readonly Candidate[],
  settings: TrackingSettings,
): Track | null {
  let best: Track | null = null;
  let bestShare = settings.duplicateContainment;
  for (const [index, track] of owner) {
    const other = candidates[index]?.box;
    if (other === undefined) continue;
    const share = intersectionArea(box, other) / Math.max(1, Math.min(boxArea(box), boxArea(other)));
    if (share >= bestShare) {
      best = track;
      bestShare = share;
    }
  }
  return best;
}
