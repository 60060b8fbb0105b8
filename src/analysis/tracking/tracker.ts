import type { Box } from '../../vision/box.ts';
import { boxArea, boxCentre, intersectionArea } from '../box-geometry.ts';
import type { TrackingSettings } from '../settings.ts';
import { matchMotions, type Candidate } from './matching.ts';
import { correctMotion, motionBox, predictMotion, startMotion, type Motion } from './motion.ts';

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

const FIRST_MATCH = 0.08;
const SECOND_MATCH = 0.25;

/**
 * Gives the persons of successive frames their ids, numbered from 1 in order of appearance.
 *
 * ByteTrack's idea (Zhang et al., 2022): sure boxes are matched first and to everybody, unsure ones only continue people
 * who were in view a moment ago. Two things differ, both for sparse sampling with a small detector: the fit is not
 * overlap alone (see `similarity`), and a box that covers a person who already has one never starts another person.
 */
export function createTracker(
  settings: TrackingSettings,
  picture: { readonly width: number; readonly height: number },
): Tracker {
  let tracks: Track[] = [];
  let nextId = 1;
  let clock = 0;

  function update(t: number, candidates: readonly Candidate[]): readonly Assignment[] {
    const elapsed = Math.max(0, t - clock);
    clock = t;
    tracks = tracks.filter((track) => t - track.lastSeen <= settings.maxGapSeconds && !hasLeft(track, picture));
    for (const track of tracks) track.motion = predictMotion(track.motion, elapsed);

    const owner = new Map<number, Track>();
    const assign = (among: readonly Track[], indices: readonly number[], minSimilarity: number): void => {
      const boxes = indices.flatMap((index) => candidates[index] ?? []);
      for (const match of matchMotions(
        among.map(({ motion }) => motion),
        boxes,
        minSimilarity,
      )) {
        const track = among[match.motion];
        const index = indices[match.candidate];
        if (track !== undefined && index !== undefined) owner.set(index, track);
      }
    };
    const open = (): Track[] => {
      const taken = new Set(owner.values());
      return tracks.filter((track) => !taken.has(track));
    };
    const free = (from: number, below: number): number[] =>
      candidates.flatMap(({ score }, index) => (!owner.has(index) && score >= from && score < below ? [index] : []));

    assign(tracks, free(settings.highScore, Infinity), FIRST_MATCH);
    releaseDoubtful(owner, candidates, settings);
    assign(
      open().filter((track) => !track.hiddenLastTime),
      free(0, settings.highScore),
      SECOND_MATCH,
    );

    for (const track of tracks) track.hiddenLastTime = true;
    for (const [index, track] of owner) see(track, t, candidates[index]?.box);
    const assignments = candidates.map((candidate, index): Assignment => {
      const track = owner.get(index);
      if (track !== undefined) return { kind: 'person', track: track.id };
      const covered = coveringPerson(candidate.box, owner, candidates, settings);
      if (covered !== null) return { kind: 'duplicate', track: covered.id };
      if (candidate.score < settings.newTrackScore) return { kind: 'unassigned' };
      const started = startTrack(nextId++, t, candidate.box);
      tracks.push(started);
      owner.set(index, started);
      return { kind: 'person', track: started.id };
    });
    return assignments;
  }

  return { update };
}

function startTrack(id: number, t: number, box: Box): Track {
  return { id, motion: startMotion(box), lastSeen: t, hiddenLastTime: false };
}

function see(track: Track, t: number, box: Box | undefined): void {
  if (box === undefined) return;
  track.motion = correctMotion(track.motion, box);
  track.lastSeen = t;
  track.hiddenLastTime = false;
}

/** Out of the picture for good: the next one who enters there is somebody else. */
function hasLeft(track: Track, picture: { readonly width: number; readonly height: number }): boolean {
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
