import type { LinkTrouble } from './faults.ts';
import type { Absence } from './fleet.ts';
import type { SeenReceive } from './receive-log.ts';
import type { Sighting } from './witness.ts';

/** What is known of one message's receives. */
export interface ReceiveEvidence {
  readonly messageId: string;
  readonly seen: readonly SeenReceive[];
  readonly sightings: readonly Sighting[];
}

export interface BurntReceive {
  readonly messageId: string;
  readonly receive: number;
  /** Who had the message then, as far as the logs say. */
  readonly holders: readonly string[];
  readonly seconds: number;
}

export interface ExplainedReceives {
  /** The most often that one message was handed out. */
  readonly most: number;
  /** Receives after the first, by what came before them. */
  readonly again: Readonly<Record<string, number>>;
  /** Receives that were used up and that nothing explains. */
  readonly burnt: readonly BurntReceive[];
}

/** Log lines about a message that tell why it comes again. */
const TOLD: readonly (readonly [RegExp, string])[] = [
  [/^the lease is lost|^not (deleted|given back): the lease is lost/, 'its lease was lost'],
  [/^job failed|^the dead-letter copy could not be sent/, 'its job failed'],
  [/could not be deleted|^not given back: the call failed/, 'a call of the queue failed'],
];
/** How long before a receive its poll may have begun, and how long after it its answer may be under way. */
const UNDER_WAY_MS = 3_000;
/** The clocks are one, but an end is noticed later than it happens. */
const NOTICED_MS = 1_000;

/** Says of every receive but the last of each message why it was not the last one. */
export function explainReceives(
  messages: readonly ReceiveEvidence[],
  absences: readonly Absence[],
  troubles: readonly LinkTrouble[],
): ExplainedReceives {
  let most = 0;
  const again: Record<string, number> = {};
  const burnt: BurntReceive[] = [];
  for (const message of messages) {
    const receives = receivesOf(message);
    most = Math.max(most, receives.length);
    for (const [index, { from, at }] of receives.slice(0, -1).entries()) {
      const until = receives[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      const held = message.sightings.filter((sighting) => sighting.at >= from && sighting.at <= until);
      const holders = [...new Set(held.map(({ workerId }) => workerId))];
      const why = whyAgain({ from, at, until }, held, holders, absences, troubles);
      if (why !== null) again[why] = (again[why] ?? 0) + 1;
      else {
        const seconds = Math.round((until - at) / 1_000);
        burnt.push({ messageId: message.messageId, receive: index + 1, holders, seconds });
      }
    }
  }
  return { most, again, burnt };
}

/** For people. */
export function burntText({ messageId, receive, holders, seconds }: BurntReceive): string {
  const who = holders.join(', ') || 'nobody that said so';
  return `message ${messageId} came again ${seconds} s after receive ${receive} without a reason; ${who} had it`;
}

interface Span {
  /** The receive was not before. */
  readonly from: number;
  readonly at: number;
  /** The next receive. */
  readonly until: number;
}

/** Each receive of a message, the first one first: as the queue or a log shows it, and else as late as the one after it. */
function receivesOf({ seen, sightings }: ReceiveEvidence): { readonly from: number; readonly at: number }[] {
  const known = new Map(seen.map(({ receive, from, at }) => [receive, { from, at }]));
  for (const { receive, at } of sightings) {
    if (receive === null) continue;
    const before = known.get(receive);
    known.set(receive, { from: Math.min(before?.from ?? at, at), at: Math.min(before?.at ?? at, at) });
  }
  const count = Math.max(0, ...known.keys());
  const receives: { from: number; at: number }[] = [];
  for (let receive = count; receive >= 1; receive--) {
    const later = receives[0] ?? { from: 0, at: 0 };
    receives.unshift(known.get(receive) ?? { from: later.from, at: later.at });
  }
  return receives;
}

function whyAgain(
  { from, at, until }: Span,
  held: readonly Sighting[],
  holders: readonly string[],
  absences: readonly Absence[],
  troubles: readonly LinkTrouble[],
): string | null {
  for (const [line, why] of TOLD) if (held.some(({ text }) => line.test(text))) return why;
  const absent = (end: number, of: (absence: Absence) => boolean): Absence | undefined =>
    absences.find((absence) => of(absence) && absence.from <= end + NOTICED_MS && absence.to >= from);
  if (holders.length > 0) {
    const absence = absent(until, ({ workerId }) => holders.includes(workerId));
    return absence === undefined ? null : `its worker was ${absence.why}`;
  }
  // Nobody has said a word about it: its answer did not arrive, or whoever had it ended at once.
  const lost = troubles.some(
    (trouble) => trouble.link === 'sqs' && trouble.from <= at + UNDER_WAY_MS && trouble.to >= from - UNDER_WAY_MS,
  );
  if (lost) return 'its answer was lost on the way';
  return absent(at + UNDER_WAY_MS, ({ from: began }) => began >= from - UNDER_WAY_MS) === undefined
    ? null
    : 'whoever had it ended before a word about it';
}
