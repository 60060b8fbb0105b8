import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { brokenInstall } from '../../failure/broken-install.ts';
import { Failure } from '../../failure/failure.ts';
import { adviceForErrno, meaningOfFileCode } from '../../failure/sources/errno.ts';
import type { NearEnd } from '../tools/socket-pair.ts';
import type { LentMemory, ReadingMessage, ReadingOrder } from './thread-messages.ts';

interface Events {
  readonly connect: [];
  readonly frame: [number: number];
  readonly error: [error: Error];
  readonly close: [];
}

/** Objects of a thread that reads are few and small; what they hold of lent memory is let go when they are collected. */
const YOUNG_MB = 1;

/**
 * A thread that reads one stream of frames, and ends with it. To whoever makes the pair of sockets it is the near end: it emits `connect`,
 * `error` and `close` as a socket does, and `frame` with the number of memory that is full. The socket belongs to the thread alone,
 * so nothing here can close it twice; it is closed with the thread at the latest.
 */
export class FrameThread extends EventEmitter<Events> implements NearEnd {
  readonly #worker: Worker;
  /** Resolves when the thread is gone: nobody writes into what was lent to it. Never rejects. */
  readonly gone: Promise<void>;
  #isClosed = false;
  #isUnwanted = false;

  /** Throws READER_THREAD_DIED, or the failure of a host that is short of something, where no thread can be started. */
  constructor(order: ReadingOrder) {
    super();
    // Nobody has to listen.
    this.on('error', () => {});
    this.#worker = startWorker(order);
    this.#worker.on('message', (message: ReadingMessage) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.#fail(died('sent a message that cannot be read', error)));
    this.#worker.on('error', (error) => this.#fail(died('threw an error that nothing caught', error)));
    this.gone = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#fail(died(`ended with code ${code}`));
        this.#close();
        resolve();
      });
    });
  }

  lend(memory: LentMemory): void {
    this.#worker.postMessage(memory, []);
  }

  /** Ends the thread, and with it the reading. */
  destroy(): void {
    this.#isUnwanted = true;
    void this.#worker.terminate();
  }

  /** A thread that cannot be ended does not keep the process from its end. */
  unref(): void {
    this.#worker.unref();
  }

  #receive(message: ReadingMessage): void {
    switch (message.kind) {
      case 'connected':
        this.emit('connect');
        return;
      case 'frame':
        this.emit('frame', message.number);
        return;
      case 'refused':
        this.emit('error', Object.assign(new Error(message.message), { code: message.errno }));
        return;
      case 'closed':
        this.#close();
        return;
      default:
        message satisfies never;
    }
  }

  /** The first reason counts, and none where the end was asked for, or came with that of the bytes. */
  #fail(failure: Failure): void {
    if (this.#isClosed || this.#isUnwanted) return;
    this.#isUnwanted = true;
    this.emit('error', failure);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit('close');
  }
}

function startWorker(order: ReadingOrder): Worker {
  // Nothing rewrites the ending of an address when the sources are built.
  const isSource = import.meta.url.endsWith('.ts');
  const entry = isSource
    ? new URL('./reading-thread.ts', import.meta.url)
    : new URL('./reading-thread.js', import.meta.url);
  try {
    return new Worker(entry, {
      workerData: order,
      name: 'frames',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
  } catch (error) {
    throw died('cannot be started', error);
  }
}

/** What a thread is short of that does not come to its start: Node tells it in words, and of a file of its own where that is what it wanted. */
const SHORTAGES: readonly (readonly [words: RegExp, errno: string])[] = [
  [/\bE[MN]FILE\b|too many open files/i, 'EMFILE'],
  [/\bEAGAIN\b/, 'EAGAIN'],
  [/\bENOMEM\b/, 'ENOMEM'],
];

function died(how: string, cause?: unknown): Failure {
  const said = cause instanceof Error ? cause.message : '';
  const [, errno = ''] = SHORTAGES.find(([words]) => words.test(said)) ?? [];
  const shortOf = meaningOfFileCode(errno);
  if (shortOf !== null) {
    return new Failure(shortOf, `no thread can be started to read frames (${said})${adviceForErrno(errno)}`, { cause });
  }
  return brokenInstall(cause) ?? new Failure('READER_THREAD_DIED', `the thread that reads frames ${how}`, { cause });
}
