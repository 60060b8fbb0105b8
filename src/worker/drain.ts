import type { Interruption } from '../failure/failure.ts';
import type { Clock } from '../time/clock.ts';
import { settledWithin } from '../time/settled-within.ts';
import type { InFlight } from './in-flight.ts';
import type { Poller } from './poller.ts';
import { handBackAll, type SettleDeps } from './settle-message.ts';
import type { Slots } from './slots.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface DrainParts {
  readonly poller: Poller;
  readonly waiting: WaitingRoom;
  readonly slots: Slots;
  readonly inFlight: InFlight;
  readonly settle: SettleDeps;
  readonly clock: Clock;
  /** How long an aborted job may take to unwind before the drain ends without it. */
  readonly unwindMs: number;
  /** Resolves when the deadline is now. */
  readonly now: Promise<void>;
  /** Told how many messages went back untouched. */
  readonly onHandedBack: (count: number) => void;
}

/** An open poll answers within milliseconds when a message becomes visible. */
export const QUIET_MS = 1_000;
/** The longest long poll, and the time that its answer may take. */
const POLLS_END_MS = 26_000;
/** One call that runs into its limit, and one that shares its batch. */
const LAST_DELETES_MS = 11_000;
/** Giving back, tried again for as long as a process that ends may. */
const LAST_RETURNS_MS = 14_000;

/**
 * Lets jobs finish for `deadlineMs`, then aborts them, and hands back whatever is held. Resolves when nothing is left, with the number
 * of jobs that ignored their abort.
 */
export async function drain(parts: DrainParts, deadlineMs: number, interruption: () => Interruption): Promise<number> {
  const { poller, waiting, slots, inFlight, settle, clock, onHandedBack } = parts;
  const { keeper, settler } = settle;
  poller.stopWaking();
  const leave = async (): Promise<void> =>
    await waiting.close(async (all) => onHandedBack(await handBackAll(settle, all)));
  // What is given back while a poll of ours is open comes in again by it, and burns one more receive.
  const left = settle.pollsEnd().then(leave);
  await settledWithin(Promise.race([Promise.all([slots.idle(), left]), parts.now]), deadlineMs, clock);
  for (const run of inFlight.runs) run.abort(interruption());
  await settledWithin(settle.pollsEnd(), POLLS_END_MS, clock);
  // Where the queue does not answer, the time to unwind ends this too.
  await settledWithin(Promise.all([slots.idle(), leave()]), parts.unwindMs, clock);
  const stuck = inFlight.runs.filter((run) => !run.isOver).length;
  await settledWithin(settler.hurry(), LAST_DELETES_MS, clock);
  // A queue that does not answer: the renewals end and the lease runs out.
  await Promise.all(keeper.held.filter((l) => settler.isSettling(l)).map((l) => keeper.release(l)));
  // A job that ignores its signal ends with the process; its message must not wait for the lease to run out.
  const rest = async (): Promise<void> => {
    onHandedBack(await handBackAll(settle, inFlight.held));
    onHandedBack(await settler.giveBackAll(keeper.held));
  };
  await settledWithin(rest(), LAST_RETURNS_MS, clock);
  // What waits for a word of the queue by now waits for nothing: its lease runs out.
  await Promise.all(keeper.held.map((lease) => keeper.release(lease)));
  await settle.pollsEnd();
  await poller.quiet(QUIET_MS);
  if (stuck === 0) await slots.idle();
  return stuck;
}
