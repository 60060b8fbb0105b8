import type { Dependency } from '../failure/codes.ts';
import type { Disposition } from '../failure/disposition.ts';
import { Interruption, type Failure, type InterruptionKind } from '../failure/failure.ts';
import { LeaseKeeper } from '../queue/lease-keeper.ts';
import { Settler } from '../queue/settler.ts';
import { systemClock, type Clock } from '../time/clock.ts';
import { settledWithin } from '../time/settled-within.ts';
import { DEFAULT_BREAKER } from './circuit-breaker.ts';
import { DependencyWatch } from './dependency-watch.ts';
import { drain, QUIET_MS } from './drain.ts';
import type { DrainReport } from './drain-report.ts';
import { InFlight } from './in-flight.ts';
import { Intake } from './intake.ts';
import { Poller } from './poller.ts';
import { QueueSigns } from './queue-signs.ts';
import { reportLease } from './report-lease.ts';
import { runAndSettle, type RunAndSettleDeps } from './run-and-settle.ts';
import { handBackAll, type SettleDeps } from './settle-message.ts';
import { Slots } from './slots.ts';
import { NEXT_STATES, type WorkerState } from './states.ts';
import type { WaitDeps } from './wait-under-lease.ts';
import { WaitingRoom } from './waiting-room.ts';
import type { WorkerOptions } from './worker-options.ts';

const STANDING_STILL_MS = 10_000;
const MAX_WAITING = 100;

/**
 * The daemon's life: it keeps polls open for free slots, and ends without losing a message. A message goes one way: the poller receives
 * it, the intake registers its lease and recognises it, its run works on it, and it is settled.
 *
 * ```mermaid
 * stateDiagram-v2
 *   starting --> polling: start
 *   starting --> draining: drain
 *   polling --> paused: pause
 *   paused --> polling: resume
 *   polling --> draining: drain
 *   paused --> draining: drain
 *   draining --> stopped: nothing is held
 * ```
 *
 * starting: built, nothing received.
 * polling: a poll is open whenever a slot is free, no renewal is failing and the circuit is closed.
 * paused: running jobs go on and keep their leases, no new poll is opened.
 * draining: polls that are open end by themselves and what they bring is given back unstarted; leases are kept alive until
 * each job has ended, or was aborted at the deadline and given back.
 * stopped: nothing is held, no timer is left.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #clock: Clock;
  readonly #keeper: LeaseKeeper;
  readonly #settler: Settler;
  readonly #settling: SettleDeps;
  readonly #poller: Poller;
  readonly #inFlight = new InFlight();
  readonly #queueSigns = new QueueSigns();
  readonly #slots: Slots;
  readonly #waiting: WaitingRoom;
  readonly #dependencies: DependencyWatch;
  #state: WorkerState = 'starting';
  #drain: Promise<DrainReport> | null = null;
  #failure: Failure | null = null;
  #finished = 0;
  #givenBack = 0;
  #aborted = 0;
  #fillsSoon = false;
  readonly #now = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<DrainReport>();

  constructor(options: WorkerOptions) {
    const { settings, logger, events, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    const fillSoon = (): void => this.#fillSoon();
    this.#slots = new Slots(options.concurrency, fillSoon);
    this.#waiting = new WaitingRoom({ clock, limit: settings.maxWaiting ?? MAX_WAITING, onDue: fillSoon });
    this.#keeper = new LeaseKeeper({
      clock,
      visibilitySeconds: settings.visibilitySeconds,
      onEvent: (event) => {
        reportLease(event, logger, events);
      },
    });
    this.#settler = new Settler({ keeper: this.#keeper, clock });
    const { onRejectedMessage: onLeft } = options;
    const left = onLeft === undefined ? {} : { onLeft };
    const pollsEnd = (): Promise<unknown> => Promise.race([this.#poller.allAnswered(), this.#now.promise]);
    this.#settling = {
      keeper: this.#keeper,
      settler: this.#settler,
      events,
      logger,
      settings,
      pollsEnd,
      ...left,
    };
    this.#dependencies = new DependencyWatch({
      settings: settings.breaker ?? DEFAULT_BREAKER,
      slots: this.#slots,
      clock,
      logger,
      events,
    });
    const intake = this.#openIntake();
    this.#poller = new Poller({
      ...options,
      queues: options.queues.map((queue) => this.#queueSigns.watch(queue)),
      clock,
      mayTake: () => this.#state === 'polling',
      // A lease that cannot be renewed says that the queue is hard to reach: what is taken now may be lost as well.
      isHealthy: () => this.#keeper.isHealthy,
      freeSlots: () => this.#dependencies.freeSlots,
      admit: (free, unoccupied) => this.#waiting.admit(free, unoccupied),
      isTrying: () => this.#dependencies.away.length > 0,
      // What runs may have to wait as well, or wait again.
      roomLeft: () => this.#waiting.roomLeft - this.#slots.busy,
      pausedMs: () => this.#dependencies.pausedMs,
      take: (received) => intake.take(received),
    });
    events.on('message:given-back', () => {
      this.#givenBack += 1;
    });
    events.on('circuit:closed', () => {
      this.#waiting.wake((_held, why) => why === 'dependency');
    });
  }

  #openIntake(): Intake {
    const { settings, events, processJob } = this.#options;
    const settle = this.#settling;
    const waits: WaitDeps = { clock: this.#clock, settle, waiting: this.#waiting };
    const onHalt = (failure: Failure): void => {
      this.#halt(failure);
    };
    const next: RunAndSettleDeps = {
      ...waits,
      dependencies: this.#dependencies,
      onEnded: (disposition, wasAborted) => {
        this.#count(disposition, wasAborted);
      },
      onHalt,
    };
    return new Intake({
      ...this.#options,
      ...waits,
      inFlight: this.#inFlight,
      slots: this.#slots,
      run: {
        keeper: this.#keeper,
        clock: this.#clock,
        processJob,
        events,
        maxProcessingSeconds: settings.maxProcessingSeconds,
      },
      isOpen: () => this.#state === 'polling' || this.#state === 'paused',
      isOverbooked: () => this.#dependencies.freeSlots < 0,
      onHalt,
      onGivenBack: (count) => {
        this.#burnt(count);
      },
      handOn: (run, slot) => runAndSettle(next, run, slot),
    });
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** For health checks: milliseconds since a poll was last answered; null before the first. */
  get pollAgeMs(): number | null {
    return this.#poller.lastAnswerAt === null ? null : this.#clock.now() - this.#poller.lastAnswerAt;
  }

  /** Messages that are worked on now. */
  get busy(): number {
    return this.#slots.busy;
  }

  /** Messages that wait under their leases, without a slot. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Leases held now: also of messages that wait or are being settled. */
  get leases(): number {
    return this.#keeper.held.length;
  }

  get renewalsHealthy(): boolean {
    return this.#keeper.isHealthy;
  }

  /** Dependencies whose circuit is not closed: few messages are taken, or none. */
  get away(): readonly Dependency[] {
    return this.#dependencies.away;
  }

  /** Names of the queues whose last word was that a call failed. */
  get queuesAway(): readonly string[] {
    return this.#queueSigns.away(!this.isFull);
  }

  /** No slot is free: no poll is open, and that is as it should be. */
  get isFull(): boolean {
    return this.#dependencies.freeSlots <= 0;
  }

  /** For the watchdog: false when renewals stand still, not when the queue refuses them. */
  get renewalsOnTime(): boolean {
    return this.#keeper.lateMs < STANDING_STILL_MS;
  }

  start(): void {
    if (this.#state !== 'starting') throw new Error(`a worker that is ${this.#state} cannot be started`);
    this.#setState('polling');
    this.#poller.fill();
  }

  pause(): void {
    if (this.#state === 'polling') this.#setState('paused');
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#setState('polling');
    this.#poller.fill();
  }

  /**
   * Stops taking messages, lets jobs finish for `deadlineMs`, then aborts them and gives back what is held. Resolves when
   * nothing is left. A second call joins the first, whose deadline it can only bring closer; `drainNow` ends the waiting.
   */
  drain(reason: string, deadlineMs: number, kind: InterruptionKind = 'shutdown'): Promise<DrainReport> {
    if (this.#drain === null) {
      this.#drain = this.#runDrain(reason, deadlineMs, kind);
      this.#drain.then(this.#stopped.resolve, this.#stopped.reject);
    } else {
      void this.#bringCloser(this.#drain, deadlineMs);
    }
    return this.#drain;
  }

  async #bringCloser(drain: Promise<DrainReport>, deadlineMs: number): Promise<void> {
    if (!(await settledWithin(drain, deadlineMs, this.#clock))) this.#now.resolve();
  }

  /** The report of the drain that ends this worker, whatever begins it. */
  get stopped(): Promise<DrainReport> {
    return this.#stopped.promise;
  }

  /** The deadline of the drain is now. */
  drainNow(reason: string): Promise<DrainReport> {
    this.#now.resolve();
    return this.drain(reason, 0);
  }

  /**
   * The crash path: visibility 0 for everything held, whatever its job is doing, and a last delete for what is done; nothing
   * is started any more. Resolves within the budget.
   */
  async giveBackAll(budgetMs: number): Promise<void> {
    if (this.#state !== 'stopped') this.#setState('draining');
    const all = Promise.all([handBackAll(this.#settling, this.#inFlight.held), this.#settler.hurry()]);
    await settledWithin(
      all.then(() => this.#poller.quiet(QUIET_MS)),
      budgetMs,
      this.#clock,
    );
  }

  async #runDrain(reason: string, deadlineMs: number, kind: InterruptionKind): Promise<DrainReport> {
    this.#setState('draining');
    const finishedBefore = this.#finished;
    const givenBackBefore = this.#givenBack;
    const parts = {
      poller: this.#poller,
      waiting: this.#waiting,
      slots: this.#slots,
      inFlight: this.#inFlight,
      settle: this.#settling,
      clock: this.#clock,
      unwindMs: this.#options.settings.unwindMs,
      now: this.#now.promise,
      onHandedBack: (count: number) => {
        this.#burnt(count);
      },
    };
    const stuck = await drain(parts, deadlineMs, () => new Interruption(kind, `the worker stops: ${reason}`));
    this.#keeper.stop();
    this.#setState('stopped');
    return {
      reason,
      finished: this.#finished - finishedBefore,
      givenBack: this.#givenBack - givenBackBefore,
      aborted: this.#aborted,
      stuck,
      failure: this.#failure,
    };
  }

  #burnt(count: number): void {
    this.#givenBack += count;
    if (count > 0) this.#options.events.emit('receive:burnt', { count, by: this.#failure === null ? 'drain' : 'halt' });
  }

  #count(disposition: Disposition, wasAborted: boolean): void {
    const isDone =
      disposition.kind === 'ack' || (disposition.kind === 'reject' && disposition.failure.code !== 'INTERRUPTED');
    if (isDone) this.#finished += 1;
    else if (wasAborted) this.#aborted += 1;
  }

  /** Whatever became of the lease: a host that has lost its GPU must not take more messages. */
  #halt(failure: Failure): void {
    this.#failure ??= failure;
    this.#options.logger.error({ err: failure, code: failure.code }, 'the worker cannot go on');
    void this.drain(`system failure ${failure.code}`, 0);
  }

  /** Messages that end together are one reason to ask for more, not ten small ones. */
  #fillSoon(): void {
    if (this.#fillsSoon) return;
    this.#fillsSoon = true;
    setImmediate(() => {
      this.#fillsSoon = false;
      this.#poller.fill();
    });
  }

  /** A worker that ends is never called back to work. */
  #setState(state: WorkerState): void {
    if (!NEXT_STATES[this.#state].includes(state)) return;
    this.#state = state;
    this.#options.events.emit('worker:state', { state });
  }
}
