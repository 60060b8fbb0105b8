import { parentPort, workerData } from 'node:worker_threads';
import type { Methods, ThreadReply, ThreadRequest } from './protocol.ts';
import { toWire } from './wire-failure.ts';

export interface CallContext {
  /** Aborted when the caller gave the call up: queued work is to be dropped. A running `session.run` cannot be stopped. */
  readonly signal: AbortSignal;
}

/** A handler settles when nothing of the call is left, not when its answer is known: what the caller lent for it is in use until then. */
type Handlers<M extends Methods<M>> = {
  readonly [K in keyof M]: (
    request: M[K]['request'],
    context: CallContext,
  ) => Promise<M[K]['response']> | M[K]['response'];
};

export interface ThreadService<M extends Methods<M>> {
  readonly handlers: Handlers<M>;
  readonly close: () => Promise<void>;
}

type AnyHandler = (request: unknown, context: CallContext) => unknown;

/**
 * Makes the current worker thread answer calls. `open` gets the thread's options (its `workerData`) and loads what the thread
 * owns; its failure is reported to the owner and ends the thread.
 */
export async function serveThread<M extends Methods<M>>(
  open: (options: unknown) => Promise<ThreadService<M>>,
): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('serveThread runs in a worker thread only');
  const reply = (message: ThreadReply): void => port.postMessage(message);

  let service: ThreadService<M>;
  try {
    service = await open(workerData);
  } catch (error) {
    reply({ kind: 'not-ready', failure: toWire(error) });
    return;
  }

  const running = new Map<number, AbortController>();
  const handler = (method: string): AnyHandler => {
    const found = (service.handlers as Record<string, AnyHandler | undefined>)[method];
    if (found === undefined) throw new TypeError(`the thread has no method ${method}`);
    return found;
  };

  const call = async (id: number, method: string, request: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const value = await handler(method)(request, { signal: controller.signal });
      // The caller of an aborted call has its answer already, and waits only for the end of what it lent.
      if (controller.signal.aborted) reply({ kind: 'dropped', id });
      else reply({ kind: 'result', id, value });
    } catch (error) {
      reply(controller.signal.aborted ? { kind: 'dropped', id } : { kind: 'failure', id, failure: toWire(error) });
    } finally {
      running.delete(id);
    }
  };

  port.on('message', (message: ThreadRequest) => {
    switch (message.kind) {
      case 'call':
        void call(message.id, message.method, message.request);
        return;
      case 'abort':
        running.get(message.id)?.abort();
        return;
      case 'close':
        for (const controller of running.values()) controller.abort();
        // An open port is what keeps the thread alive.
        void service.close().finally(() => port.close());
        return;
      default:
        message satisfies never;
    }
  });
  reply({ kind: 'ready' });
}
