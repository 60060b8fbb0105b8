import { VISIBLE_SHARE } from './match-frame.ts';
import type { Truth } from './truth.ts';

/** A person seen in a sampled frame, under a track id. */
export interface Sighting {
  readonly person: string;
  readonly frameIndex: number;
  readonly track: number;
}

interface IdentityResult {
  /** Changes of the track id of one person, in the order of the frames. */
  readonly switches: number;
  /** Those of them during which the person was in view all the time. */
  readonly switchesInView: number;
  /** The track that had the person most often. */
  readonly trackOf: ReadonlyMap<string, number>;
}

/** Follows each person through the sightings (in frame order). */
export function followIdentities(truth: Truth, sightings: readonly Sighting[]): IdentityResult {
  let switches = 0;
  let switchesInView = 0;
  const last = new Map<string, Sighting>();
  const counts = new Map<string, Map<number, number>>();
  for (const sighting of sightings) {
    const before = last.get(sighting.person);
    if (before !== undefined && before.track !== sighting.track) {
      switches += 1;
      if (!wasHidden(truth, sighting.person, before.frameIndex, sighting.frameIndex)) switchesInView += 1;
    }
    last.set(sighting.person, sighting);
    const tracks = counts.get(sighting.person) ?? new Map<number, number>();
    tracks.set(sighting.track, (tracks.get(sighting.track) ?? 0) + 1);
    counts.set(sighting.person, tracks);
  }
  const trackOf = new Map(
    [...counts].flatMap(([person, tracks]) => {
      const most = [...tracks].sort((a, b) => b[1] - a[1])[0];
      return most === undefined ? [] : [[person, most[0]] as const];
    }),
  );
  return { switches, switchesInView, trackOf };
}

function wasHidden(truth: Truth, person: string, from: number, to: number): boolean {
  return truth.frames.some((frame) => {
    if (frame.index < from || frame.index > to) return false;
    const present = frame.persons.find(({ id }) => id === person);
    return present === undefined || present.visible < VISIBLE_SHARE;
  });
}
