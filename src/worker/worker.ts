import { toFailure } from '../failure/classify.ts';
import { Interruption, type Failure, type InterruptionKind } from '../failure/failure.ts';
import { changeVisibility } from '../queue/sqs/batch-calls.ts';
import { systemClock, type Clock } from '../time/clock.ts';
import { LeaseKeeper } from '../queue/lease-keeper.ts';
import type { Lease } from '../queue/lease.ts';
import { parseMessage, type ParsedMessage } from '../queue/messages/parse-message.ts';
import { stringAttributes, type ReceivedMessage } from '../queue/sqs/receive.ts';
import { Settler } from '../queue/settler.ts';
import { carryOut, giveBack, type CarryOutDeps } from './carry-out.ts';
import { answeredIn, CircuitBreaker, DEFAULT_BREAKER } from './circuit-breaker.ts';
import type { Disposition, Settled } from '../failure/disposition.ts';
import type { WorkerState } from './events.ts';
import { FifoGroups } from './fifo-groups.ts';
import { InFlight } from './in-flight.ts';
import { withStage } from '../job/job-stages.ts';
import { MessageRun } from './message-run.ts';
import { Poller } from './poller.ts';
import { rejectRecorded } from './reject-recorded.ts';
import { settledWithin } from '../time/settled-within.ts';
import { Slots } from './slots.ts';
import { tellLease } from './tell-lease.ts';
import type { WorkerOptions } from './worker-options.ts';

export type { WorkerOptions, WorkerQueue, WorkerSettings } from './worker-options.ts';

export interface DrainReport {
  readonly reason: string;
  /** Messages whose run ended by itself after the drain began. */
  readonly finished: number;
  /** Messages that were given back with visibility 0. */
  readonly givenBack: number;
  /** Runs that had not returned when the drain ended. */
  readonly stuck: number;
  /** What stopped the worker, when it was a system failure. */
  readonly failure: Failure | null;
}

const DUPLICATE_DELAY_SECONDS = 30;
/** An open poll answers within milliseconds when a message becomes visible. */
const QUIET_MS = 1_000;
const STANDING_STILL_MS = 10_000;
/** One call that runs into its limit, and one that shares its batch. */
const LAST_DELETES_MS = 11_000;

/**
 * The daemon: takes messages for its free slots, runs each under a lease, and settles them one by one.
 *
 * starting: built, nothing received. Left by `start()`.
 * polling: a poll is open whenever a slot is free, no renewal is failing and the circuit is closed.
 * paused: running jobs go on and keep their leases, no new poll is opened. Left by `resume()` or a drain.
 * draining: polls that are open end by themselves and what they bring is given back unstarted; leases are kept alive until
 * each job has ended, or was aborted at the deadline and given back. Final but for stopped.
 * stopped: nothing is held, no timer is left.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #clock: Clock;
  readonly #keeper: LeaseKeeper;
  readonly #settler: Settler;
  readonly #breaker: CircuitBreaker;
  readonly #poller: Poller;
  readonly #inFlight = new InFlight();
  readonly #slots: Slots;
  readonly #groups = new FifoGroups();
  #state: WorkerState = 'starting';
  #drain: Promise<DrainReport> | null = null;
  #failure: Failure | null = null;
  #finished = 0;
  #givenBack = 0;
  #fillsSoon = false;
  readonly #now = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<DrainReport>();

  constructor(options: WorkerOptions) {
    const { clients, settings } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#slots = new Slots(options.concurrency);
    this.#keeper = new LeaseKeeper({
      clock: this.#clock,
      visibilitySeconds: settings.visibilitySeconds,
      changeVisibility: (url, entries, timeoutMs) => changeVisibility(clients.control, url, entries, timeoutMs),
      onEvent: (event) => {
        tellLease(event, options.logger, options.events);
      },
    });
    this.#settler = new Settler({ client: clients.control, keeper: this.#keeper, clock: this.#clock });
    this.#breaker = new CircuitBreaker(settings.breaker ?? DEFAULT_BREAKER);
    this.#poller = new Poller({
      ...options,
      clock: this.#clock,
      mayTake: () => this.#state === 'polling',
      // A lease that cannot be renewed says that the queue is hard to reach: what is taken now may be lost as well.
      isHealthy: () => this.#keeper.isHealthy,
      freeSlots: () => this.#slots.free((all, older) => this.#breaker.slots(this.#clock.now(), all, older)),
      pausedMs: () => this.#breaker.waitMs(this.#clock.now()),
      take: (messages) => this.#takeAll(messages),
    });
    options.events.on('message:given-back', () => {
      this.#givenBack += 1;
    });
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** For health checks: milliseconds since a poll was last answered; null before the first. */
  get pollAgeMs(): number | null {
    return this.#poller.lastAnswerAt === null ? null : this.#clock.now() - this.#poller.lastAnswerAt;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Leases held now: also of messages that wait for their group or are being settled. */
  get leases(): number {
    return this.#keeper.held.length;
  }

  get renewalsHealthy(): boolean {
    return this.#keeper.isHealthy;
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
    if (!(await settledWithin(drain, deadlineMs))) this.#now.resolve();
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
    const all = Promise.all([this.#settler.giveBackAll(this.#keeper.held), this.#settler.hurry()]);
    await settledWithin(
      all.then(() => this.#poller.quiet(QUIET_MS)),
      budgetMs,
    );
  }

  async #runDrain(reason: string, deadlineMs: number, kind: InterruptionKind): Promise<DrainReport> {
    this.#setState('draining');
    const finishedBefore = this.#finished;
    const givenBackBefore = this.#givenBack;
    this.#poller.stopWaking();
    const jobs = this.#slots.idle();
    await settledWithin(Promise.race([jobs, this.#now.promise]), deadlineMs);
    for (const run of this.#inFlight.runs) run.abort(new Interruption(kind, `the worker stops: ${reason}`));
    await settledWithin(this.#slots.idle(), this.#options.settings.unwindMs);
    const stuck = this.#inFlight.runs.filter((run) => !run.isOver).length;
    await settledWithin(this.#settler.hurry(), LAST_DELETES_MS);
    // A queue that does not answer: the renewals end and the lease runs out.
    await Promise.all(
      this.#keeper.held.filter((l) => this.#settler.isAcknowledging(l)).map((l) => this.#keeper.release(l)),
    );
    // A job that ignores its signal ends with the process; its message must not wait for the lease to run out.
    this.#givenBack += await this.#settler.giveBackAll(this.#keeper.held);
    await Promise.race([this.#poller.allAnswered(), this.#now.promise]);
    await this.#poller.quiet(QUIET_MS);
    if (stuck === 0) await this.#slots.idle();
    this.#keeper.stop();
    this.#setState('stopped');
    return {
      reason,
      finished: this.#finished - finishedBefore,
      givenBack: this.#givenBack - givenBackBefore,
      stuck,
      failure: this.#failure,
    };
  }

  async #takeAll(messages: readonly ReceivedMessage[]): Promise<void> {
    if (this.#state === 'draining' || this.#state === 'stopped') {
      const leases = messages.map((message) => this.#keeper.register(message));
      const count = await this.#settler.giveBackAll(leases);
      this.#givenBack += count;
      return;
    }
    for (const message of messages) this.#take(message);
  }

  #take(message: ReceivedMessage): void {
    const running = this.#inFlight.ofMessage(message.messageId);
    if (running !== null) {
      this.#redelivered(running, message);
      return;
    }
    this.#occupy(this.#handle(message, this.#keeper.register(message)));
  }

  /** The same message while its run is not over: never started a second time. */
  #redelivered(run: MessageRun, message: ReceivedMessage): void {
    const { messageId } = message;
    if (run.lease.state === 'held') {
      this.#keeper.adopt(run.lease, message);
      this.#options.events.emit('message:redelivered', { messageId });
      return;
    }
    // Its run is being aborted: by the time it is visible again the run is over.
    const lease = this.#keeper.register(message);
    this.#occupy(giveBack(this.#carryOutDeps(), lease, DUPLICATE_DELAY_SECONDS, 'its aborted run has not ended yet'));
  }

  async #handle(message: ReceivedMessage, lease: Lease): Promise<void> {
    const deps = this.#carryOutDeps();
    if (this.#settler.isDone(message.messageId)) {
      this.#options.events.emit('message:done-before', { messageId: message.messageId });
      await carryOut(deps, message, lease, { kind: 'ack', outcome: 'duplicate' });
      return;
    }
    let parsed: ParsedMessage;
    try {
      parsed = parseMessage(message.body, stringAttributes(message));
    } catch (error) {
      const failure = withStage(toFailure(error), 'message');
      this.#options.logger.warn({ messageId: message.messageId, code: failure.code }, failure.message);
      this.#options.events.emit('message:rejected', { messageId: message.messageId, failure });
      const record = async (): Promise<void> => await this.#options.onRejectedMessage?.(message.messageId, failure);
      await carryOut(deps, message, lease, await rejectRecorded(failure, message.receiveCount, record));
      return;
    }
    if (parsed.kind === 'ignored') {
      this.#options.logger.info({ messageId: message.messageId }, `ignored: ${parsed.reason}`);
      this.#options.events.emit('message:ignored', { messageId: message.messageId, reason: parsed.reason });
      await carryOut(deps, message, lease, { kind: 'ack', outcome: 'ignored' });
      return;
    }
    const run = new MessageRun(message, lease, parsed.jobs, {
      keeper: this.#keeper,
      clock: this.#clock,
      processJob: this.#options.processJob,
      maxProcessingSeconds: this.#options.settings.maxProcessingSeconds,
      onStarted: ({ key }) => {
        const { messageId, receiveCount } = message;
        this.#options.events.emit('job:started', { messageId, key, receiveCount });
      },
      onReturned: ({ key }, disposition) => {
        this.#options.events.emit('job:returned', { messageId: message.messageId, key, disposition });
      },
    });
    if (this.#inFlight.hasObjectOf(run)) {
      await giveBack(deps, lease, DUPLICATE_DELAY_SECONDS, 'another message about the same object runs here');
      return;
    }
    this.#inFlight.add(run);
    try {
      await this.#inGroupOrder(message, run, deps);
    } finally {
      this.#inFlight.remove(run);
    }
  }

  async #inGroupOrder(message: ReceivedMessage, run: MessageRun, deps: CarryOutDeps): Promise<void> {
    const work = (): Promise<boolean> => this.#runAndSettle(run, deps);
    if (message.groupId === null) {
      await work();
      return;
    }
    await this.#groups.inOrder(`${message.queueUrl} ${message.groupId}`, work, () =>
      giveBack(deps, run.lease, 0, 'an earlier message of its group was not settled'),
    );
  }

  async #runAndSettle(run: MessageRun, deps: CarryOutDeps): Promise<boolean> {
    const disposition = await run.run();
    if (disposition.kind === 'halt') this.#halt(disposition.failure);
    // A report of success under a lost lease stays unsaid: whoever has the message now decides.
    if (run.lease.state === 'held') this.#count(disposition);
    const settled = await this.#settle(run, disposition, deps);
    const { messageId } = run.message;
    for (const { job, ...ended } of run.ended) {
      this.#options.events.emit('job:settled', { messageId, key: job.key, ...ended, settled });
    }
    return disposition.kind === 'ack' || disposition.kind === 'reject';
  }

  async #settle(run: MessageRun, disposition: Disposition, deps: CarryOutDeps): Promise<Settled> {
    const settle = (): Promise<Settled> => carryOut(deps, run.message, run.lease, disposition);
    if (disposition.kind !== 'ack') return await settle();
    this.#fillSoon();
    return await this.#slots.withoutSlot(settle);
  }

  #count(disposition: Disposition): void {
    const { events, logger } = this.#options;
    if (disposition.kind === 'ack' || disposition.kind === 'reject') this.#finished += 1;
    for (const dependency of this.#breaker.succeeded(answeredIn(disposition))) {
      logger.info({ dependency }, 'a dependency is back');
      events.emit('circuit:closed', { dependency });
    }
    if (disposition.kind !== 'retry') return;
    const opened = this.#breaker.failed(disposition.failure, this.#clock.now());
    if (opened === null) return;
    this.#slots.circuitOpened();
    logger.error(opened, 'a dependency is away, no messages are taken for a while');
    events.emit('circuit:open', opened);
  }

  /** Whatever became of the lease: a host that has lost its GPU must not take more messages. */
  #halt(failure: Failure): void {
    this.#failure ??= failure;
    this.#options.logger.error({ err: failure, code: failure.code }, 'the worker cannot go on');
    void this.drainNow(`system failure ${failure.code}`);
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

  #carryOutDeps(): CarryOutDeps {
    const { clients, events, logger, settings, queues } = this.#options;
    return {
      client: clients.control,
      keeper: this.#keeper,
      settler: this.#settler,
      events,
      logger,
      settings,
      deadLetterUrl: (url) => queues.find((queue) => queue.url === url)?.deadLetterUrl ?? null,
    };
  }

  #occupy(work: Promise<unknown>): void {
    this.#slots.occupy(work, () => {
      this.#fillSoon();
    });
  }

  #setState(state: WorkerState): void {
    this.#state = state;
    this.#options.events.emit('worker:state', { state });
  }
}
