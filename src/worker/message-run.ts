import { dispose } from '../failure/dispose.ts';
import { Interruption } from '../failure/failure.ts';
import type { Clock } from '../time/clock.ts';
import type { Job } from '../queue/messages/job.ts';
import type { LeaseKeeper } from '../queue/lease-keeper.ts';
import type { Lease } from '../queue/lease.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import { receiveFacts, type ProcessJob } from './delivery.ts';
import type { WorkerEventBus } from './events.ts';
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
}

/** The more a disposition asks for, the later in the list: one message has one end, that of its worst job. */
const BY_SEVERITY: readonly Disposition['kind'][] = ['ack', 'reject', 'wait', 'retry', 'abandon', 'halt'];

/**
 * The run of one message: its jobs one after another, each under one signal that joins lease loss, the job deadline and
 * whatever the worker aborts it with. It ends when the job function has really returned, however late after an abort.
 */
export class MessageRun {
  readonly message: ReceivedMessage;
  readonly lease: Lease;
  readonly jobs: readonly Job[];
  /** Bucket and key of each job, in a form that can be compared. */
  readonly objects: readonly string[];
  /** In the order in which they ended. */
  readonly ended: EndedJob[] = [];
  readonly #deps: MessageRunDeps;
  readonly #abort = new AbortController();
  #isOver = false;

  constructor(message: ReceivedMessage, lease: Lease, jobs: readonly Job[], deps: MessageRunDeps) {
    this.message = message;
    this.lease = lease;
    this.jobs = jobs;
    this.objects = jobs.map((job) => JSON.stringify([job.bucket, job.key]));
    this.#deps = deps;
    lease.signal.addEventListener(
      'abort',
      () => {
        this.#abort.abort(lease.signal.reason);
      },
      { once: true },
    );
  }

  /** Every job function has returned; what is left is settling. */
  get isOver(): boolean {
    return this.#isOver;
  }

  abort(reason: Interruption): void {
    this.#abort.abort(reason);
  }

  /** Never rejects. A rejected job beside a good one still rejects the message: its copy says which failed. */
  async run(): Promise<Disposition> {
    try {
      return await this.#runJobs();
    } finally {
      this.#isOver = true;
    }
  }

  async #runJobs(): Promise<Disposition> {
    const { clock, events } = this.#deps;
    const { messageId, receiveCount } = this.message;
    let worst: Disposition = { kind: 'ack', outcome: 'ignored' };
    for (const job of this.jobs) {
      if (this.#abort.signal.aborted) return this.#interrupted();
      events.emit('job:started', { messageId, key: job.key, receiveCount });
      const startedAt = clock.now();
      const disposition = await this.#runJob(job);
      this.ended.push({ job, disposition, seconds: (clock.now() - startedAt) / 1_000 });
      events.emit('job:returned', { messageId, key: job.key, disposition });
      if (BY_SEVERITY.indexOf(disposition.kind) >= BY_SEVERITY.indexOf(worst.kind)) worst = disposition;
      if (disposition.kind === 'halt' || disposition.kind === 'abandon') break;
    }
    return worst;
  }

  async #runJob(job: Job): Promise<Disposition> {
    const { keeper, clock, processJob, maxProcessingSeconds } = this.#deps;
    // A controller of its own: the deadline of one job must not end the next one of the same message.
    const controller = new AbortController();
    const forward = (): void => {
      controller.abort(this.#abort.signal.reason);
    };
    this.#abort.signal.addEventListener('abort', forward, { once: true });
    const cancelDeadline = clock.after(maxProcessingSeconds * 1_000, () => {
      controller.abort(new Interruption('deadline', `the job ran longer than ${maxProcessingSeconds} seconds`));
    });
    try {
      return await processJob(
        {
          job,
          messageId: this.message.messageId,
          correlationId: this.message.messageId,
          ...receiveFacts(this.lease.queue, this.message),
          confirmLease: () => keeper.confirm(this.lease),
        },
        controller.signal,
      );
    } catch (error) {
      // A job function that throws breaks its contract; the message still gets an honest end.
      return dispose(error, controller.signal, receiveFacts(this.lease.queue, this.message));
    } finally {
      cancelDeadline();
      this.#abort.signal.removeEventListener('abort', forward);
    }
  }

  #interrupted(): Disposition {
    const reason: unknown = this.#abort.signal.reason;
    return { kind: 'abandon', why: reason instanceof Interruption ? reason.kind : 'shutdown' };
  }
}
