import { EventEmitter } from 'node:events';
import type { Failure } from '../failure/failure.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Disposition, Settled, WaitReason } from '../failure/disposition.ts';
import type { WorkerState } from './states.ts';

/**
 * What uses up a receive of a message that has not failed: too many that wait (`full`), a worker that ends (`drain`) or that cannot go on
 * (`halt`), an earlier message of its group that went back (`group`), a wait for as long as one receive can last (`cap`).
 */
export type BurntBy = 'full' | 'drain' | 'halt' | 'group' | 'cap';

/** What the worker tells: for tests, metrics and the operator's console. */
export interface WorkerEvents {
  /** Keeps its lease and gives up its slot. `seconds`: until it is looked at again at the latest; null: until it is woken. */
  'message:waiting': { readonly messageId: string; readonly why: WaitReason; readonly seconds: number | null };
  /** Receives that were used up through no fault of their messages. */
  'receive:burnt': { readonly count: number; readonly by: BurntBy };
  'worker:state': { readonly state: WorkerState };
  'poll:answered': { readonly queue: string; readonly messages: number };
  'poll:failed': { readonly queue: string; readonly error: unknown };
  'job:started': { readonly messageId: string; readonly key: string; readonly receiveCount: number };
  /** The job function has returned; settling comes after it. */
  'job:returned': { readonly messageId: string; readonly key: string; readonly disposition: Disposition };
  /** `stageSeconds`: spent inside the models by all videos since the last such event, which overlap. */
  'video:analysed': { readonly frames: number; readonly stageSeconds: Readonly<Record<string, number>> };
  /** An analysis was stored that goes without something; once for each stage and code. */
  'video:degraded': { readonly stage: string; readonly code: string };
  /** The job's message is settled, or is nobody's to settle here. */
  'job:settled': {
    readonly messageId: string;
    readonly key: string;
    readonly disposition: Disposition;
    /** Of the job alone. */
    readonly seconds: number;
    readonly settled: Settled;
    /** The message has waited since its first run: what it says was said before. */
    readonly isAgain?: boolean;
  };
  /** Never became a job: it cannot be understood. */
  'message:rejected': { readonly messageId: string; readonly failure: Failure };
  /** Never became a job: it asks for nothing. */
  'message:ignored': { readonly messageId: string; readonly reason: string };
  /** The redelivery of a message whose work was done here and whose delete had failed. */
  'message:done-before': { readonly messageId: string };
  'message:deleted': { readonly messageId: string };
  'message:remembered': { readonly messageId: string };
  'message:given-back': { readonly messageId: string; readonly afterSeconds: number; readonly why: string };
  'message:dead-lettered': { readonly messageId: string; readonly code: string };
  /** The redelivery of a message that runs here: its newer receipt handle was adopted. */
  'message:redelivered': { readonly messageId: string };
  'lease:lost': { readonly messageId: string; readonly why: string };
  'lease:renewed': { readonly messageId: string };
  'lease:gap': { readonly messageId: string; readonly lateMs: number };
  'circuit:open': { readonly dependency: string; readonly forMs: number };
  'circuit:closed': { readonly dependency: string };
}

/** Events by name; a listener that throws is logged and stops nothing. */
export class WorkerEventBus {
  readonly #emitter = new EventEmitter();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#emitter.setMaxListeners(0);
  }

  on<K extends keyof WorkerEvents>(name: K, listener: (event: WorkerEvents[K]) => void): () => void {
    const guarded = (event: WorkerEvents[K]): void => {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error, event: name }, 'a listener failed');
      }
    };
    this.#emitter.on(name, guarded);
    return () => {
      this.#emitter.off(name, guarded);
    };
  }

  emit<K extends keyof WorkerEvents>(name: K, event: WorkerEvents[K]): void {
    this.#emitter.emit(name, event);
  }
}
