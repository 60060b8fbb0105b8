import { dispose } from '../failure/dispose.ts';
import { Interruption } from '../failure/failure.ts';
import { afterRunning } from '../time/after-running.ts';
import type { Clock } from '../time/clock.ts';
import type { ReceiveFacts } from '../failure/receipt.ts';
import type { Job } from '../queue/messages/job.ts';
import type { LeaseKeeper } from '../queue/lease-keeper.ts';
import type { Lease } from '../queue/lease.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import type { Arrival } from './arrival.ts';
import { receiveFacts, type ProcessJob } from './delivery.ts';
import type { WorkerEventBus } from './events.ts';
import type { GroupPlace } from './fifo-groups.ts';
import type { Disposition } from '../failure/disposition.ts';

export interface MessageRunDeps {
  readonly keeper: LeaseKeeper;
  readonly clock: Clock;
  readonly processJob: ProcessJob;
  readonly maxProcessingSeconds: number;
  readonly events: WorkerEventBus;
}

export interface EndedJob {
  readonly job: Job;
  readonly disposition: Disposition;
  readonly seconds: number;
  /** It has waited since its first run. */
  readonly isAgain: boolean;
}

/** As many as open a circuit, where nobody else gets an answer. */
const MAX_ALONE = 3;

/** The more a disposition asks for, the later in the list: one message has one end, that of its worst job. */
const BY_SEVERITY: readonly Disposition['kind'][] = ['ack', 'reject', 'wait', 'retry', 'abandon', 'halt'];

/**
 * The run of one message: its jobs one after another, each under one signal that joins lease loss, the job deadline and
 * whatever the worker aborts it with. It ends when the job function has really returned, however late after an abort. A message that
 * had to wait is run again: only those of its jobs that have not come to their end.
 */
export class MessageRun {
  readonly lease: Lease;
  readonly place: GroupPlace | null;
  readonly jobs: readonly Job[];
  /** What the last run ended, in that order. */
  ended: readonly EndedJob[] = [];
  /** Failed runs under this lease, which the queue does not count. */
  failedHere = 0;
  /** Runs in a row that found away what others got answers from. */
  failedAlone = 0;
  readonly #arrival: Arrival;
  readonly #deps: MessageRunDeps;
  /** Why no job may go on; the first reason counts. */
  #interruption: Interruption | null = null;
  /** Of the job that runs. */
  #running: AbortController | null = null;
  readonly #done = new Map<Job, Disposition>();
  #gone: PromiseWithResolvers<void> | null = null;
  #hasLeft = false;
  #hasStarted = false;
  #wasAborted = false;
  #isOver = true;

  constructor(arrival: Arrival, jobs: readonly Job[], deps: MessageRunDeps) {
    this.#arrival = arrival;
    this.lease = arrival.lease;
    this.place = arrival.place;
    this.jobs = jobs;
    this.#deps = deps;
    this.lease.onLoss((reason) => this.#interrupt(reason));
  }

  /** Bucket and key of each job, in a form that can be compared. */
  get objects(): readonly string[] {
    return this.jobs.map((job) => JSON.stringify([job.bucket, job.key]));
  }

  /** As it was received last. */
  get message(): ReceivedMessage {
    return this.#arrival.message;
  }

  get facts(): ReceiveFacts {
    const receipt = receiveFacts(this.lease.queue, this.message, this.failedHere);
    return { ...receipt, isAlone: this.failedAlone >= MAX_ALONE };
  }

  /** Resolves when nothing of this message is held here any more. */
  get gone(): Promise<void> {
    this.#gone ??= Promise.withResolvers();
    if (this.#hasLeft) this.#gone.resolve();
    return this.#gone.promise;
  }

  leave(): void {
    this.#hasLeft = true;
    this.#gone?.resolve();
  }

  sharesObject(other: MessageRun): boolean {
    const { objects } = other;
    return this.objects.some((object) => objects.includes(object));
  }

  /** Every job function has returned; what is left is settling. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The worker has ended it: whatever it says now, it was cut short. */
  get wasAborted(): boolean {
    return this.#wasAborted;
  }

  abort(reason: Interruption): void {
    this.#wasAborted ||= !this.#isOver;
    this.#interrupt(reason);
  }

  #interrupt(reason: Interruption): void {
    this.#interruption ??= reason;
    this.#running?.abort(this.#interruption);
  }

  /** Never rejects. A rejected job beside a good one still rejects the message: its copy says which failed. */
  async run(): Promise<Disposition> {
    this.#isOver = false;
    try {
      return await this.#runJobs();
    } finally {
      this.#isOver = true;
    }
  }

  async #runJobs(): Promise<Disposition> {
    const { clock, events } = this.#deps;
    const { messageId, receiveCount } = this.message;
    const ended: EndedJob[] = [];
    this.ended = ended;
    let worst: Disposition = { kind: 'ack', outcome: 'ignored' };
    const weigh = (disposition: Disposition): void => {
      if (BY_SEVERITY.indexOf(disposition.kind) >= BY_SEVERITY.indexOf(worst.kind)) worst = disposition;
    };
    for (const job of this.jobs) {
      const before = this.#done.get(job);
      if (before !== undefined) {
        weigh(before);
        continue;
      }
      if (this.#interruption !== null) return { kind: 'abandon', why: this.#interruption.kind };
      if (!this.#hasStarted) events.emit('job:started', { messageId, key: job.key, receiveCount });
      const startedAt = clock.now();
      const disposition = await this.#runJob(job);
      ended.push({ job, disposition, seconds: (clock.now() - startedAt) / 1_000, isAgain: this.#hasStarted });
      events.emit('job:returned', { messageId, key: job.key, disposition });
      if (disposition.kind === 'ack' || disposition.kind === 'reject') this.#done.set(job, disposition);
      weigh(disposition);
      if (disposition.kind === 'halt' || disposition.kind === 'abandon') break;
    }
    this.#hasStarted = true;
    return worst;
  }

  async #runJob(job: Job): Promise<Disposition> {
    const { keeper, clock, processJob, maxProcessingSeconds } = this.#deps;
    // A controller of its own: the deadline of one job must not end the next one of the same message.
    const controller = new AbortController();
    this.#running = controller;
    const deadline = afterRunning(clock, maxProcessingSeconds * 1_000, () => {
      controller.abort(new Interruption('deadline', `the job ran longer than ${maxProcessingSeconds} seconds`));
    });
    try {
      return await processJob(
        {
          job,
          messageId: this.message.messageId,
          correlationId: this.message.messageId,
          isAgain: this.#hasStarted,
          ...this.facts,
          confirmLease: () => keeper.confirm(this.lease),
        },
        controller.signal,
      );
    } catch (error) {
      // A job function that throws breaks its contract; the message still gets an honest end.
      return dispose(error, controller.signal, this.facts);
    } finally {
      deadline.cancel();
      this.#running = null;
    }
  }
}
