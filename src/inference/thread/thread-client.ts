import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { brokenInstall } from '../../failure/broken-install.ts';
import { Failure, Interruption } from '../../failure/failure.ts';
import type { Methods, ThreadReply, ThreadRequest } from './protocol.ts';
import { fromWire } from './wire-failure.ts';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface CallOptions {
  readonly signal?: AbortSignal;
  /**
   * Called once in every outcome, when the thread has no more to do with the call or is gone: an aborted call is answered at once,
   * but what it was given may be read until then.
   */
  readonly onEnded?: () => void;
}

/**
 * What a run returns is memory of its own, which only the next collection of young objects frees. The thread makes few objects: left to
 * itself, its young generation grows to 48 MB and is hardly ever collected.
 */
const YOUNG_MB = 3;
/** How long a thread that was asked to close may finish its running work before it is ended. */
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * The owner's end of a worker thread that runs `serveThread`.
 *
 * Every call ends exactly once: with the thread's answer, with the reason of its signal, or with INFERENCE_THREAD_DIED when
 * the thread ends by itself. After death or `close` every new call rejects at once: nothing waits for a thread that is gone.
 */
export class ThreadClient<M extends Methods<M>> {
  readonly #name: string;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  /** Calls that the thread has not ended, those included that were aborted and have their answer. */
  readonly #open = new Map<number, () => void>();
  readonly #exited: Promise<void>;
  /** Why no call can be made any more. */
  #ended: Failure | Interruption | null = null;
  #lastId = 0;
  #start: Pending | null = null;

  private constructor(name: string, entry: URL, options: unknown) {
    this.#name = name;
    this.#worker = new Worker(entry, {
      workerData: options,
      name,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (message: ThreadReply) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.#end(this.#died('sent a message that cannot be read', error)));
    this.#worker.on('error', (error) => this.#end(this.#died('threw an error that nothing caught', error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#end(this.#died(`ended with code ${code}`));
        for (const id of this.#open.keys()) this.#endCall(id);
        resolve();
      });
    });
  }

  /**
   * Starts the thread and resolves when it has loaded what it owns; rejects with the thread's failure or the signal's reason, and
   * the thread is gone then.
   */
  static async start<M extends Methods<M>>(
    name: string,
    entry: URL,
    options: unknown,
    signal?: AbortSignal,
  ): Promise<ThreadClient<M>> {
    signal?.throwIfAborted();
    const client = new ThreadClient<M>(name, entry, options);
    const abort = (): void => client.#start?.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<unknown>((resolve, reject) => {
        client.#start = { resolve, reject };
      });
      return client;
    } catch (error) {
      await client.#worker.terminate();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Calls a method of the thread. */
  async call<K extends keyof M & string>(
    method: K,
    request: M[K]['request'],
    options: CallOptions = {},
  ): Promise<M[K]['response']> {
    const { signal } = options;
    const id = ++this.#lastId;
    this.#open.set(id, options.onEnded ?? noted);
    const ended = this.#ended;
    if (signal?.aborted === true || ended !== null) this.#endCall(id);
    signal?.throwIfAborted();
    if (ended !== null) throw ended;
    const abort = (): void => {
      const pending = this.#pending.get(id);
      if (pending === undefined) return;
      this.#pending.delete(id);
      this.#post({ kind: 'abort', id });
      pending.reject(signal?.reason);
    };
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      this.#postCall(id, { kind: 'call', id, method, request });
      return await answer;
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Rejects what is pending, lets the thread release what it owns, and resolves when it is gone. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#ended === null) {
      this.#end(new Interruption('shutdown', `the ${this.#name} thread was closed`));
      this.#post({ kind: 'close' });
    }
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_TIMEOUT_MS);
    // A native call that never returns cannot be ended: the thread is left to the end of the process.
    await Promise.race([this.#exited, delay(2 * CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    clearTimeout(timer);
    this.#worker.unref();
  }

  /** Calls that the thread is working on or will. */
  get openCalls(): number {
    return this.#open.size;
  }

  #post(message: ThreadRequest): void {
    this.#worker.postMessage(message, []);
  }

  #postCall(id: number, message: ThreadRequest): void {
    try {
      this.#post(message);
    } catch (error) {
      // What cannot be cloned has not left this thread.
      this.#endCall(id);
      throw error;
    }
  }

  #endCall(id: number): void {
    const onEnded = this.#open.get(id);
    this.#open.delete(id);
    onEnded?.();
  }

  #receive(message: ThreadReply): void {
    if (message.kind === 'ready') {
      this.#start?.resolve(undefined);
      this.#start = null;
      return;
    }
    if (message.kind === 'not-ready') {
      this.#start?.reject(fromWire(message.failure));
      this.#start = null;
      return;
    }
    this.#endCall(message.id);
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'result') pending?.resolve(message.value);
    else if (message.kind === 'failure') pending?.reject(fromWire(message.failure));
  }

  /** The first reason wins: the exit that follows an error or a close adds nothing. */
  #end(reason: Failure | Interruption): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#start?.reject(reason);
    this.#start = null;
    for (const pending of this.#pending.values()) pending.reject(reason);
    this.#pending.clear();
  }

  #died(how: string, cause?: unknown): Failure {
    return brokenInstall(cause) ?? new Failure('INFERENCE_THREAD_DIED', `the ${this.#name} thread ${how}`, { cause });
  }
}

function noted(): void {}

/**
 * URL of a thread's entry file beside the module `importMetaUrl`: `.ts` where the sources run by type stripping, `.js` in the build,
 * because nothing rewrites the ending inside `new URL`.
 */
export function threadEntry(importMetaUrl: string, stem: string): URL {
  const ending = fileURLToPath(importMetaUrl).endsWith('.ts') ? 'ts' : 'js';
  return new URL(`${stem}.${ending}`, importMetaUrl);
}
