import { getEventListeners, type EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { openDescriptors } from '../harness/descriptors.ts';

/** What a process holds at one moment, after a forced collection. */
export interface Reading {
  /** Bytes. */
  readonly memory: { readonly heapUsed: number; readonly external: number; readonly rss: number };
  /** Things that must not grow at all, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** Connections in keep-alive pools: bounded by the pools, but not the same at each moment. */
  readonly sockets: number;
}

export interface Watched {
  readonly emitters: Readonly<Record<string, EventEmitter>>;
  readonly signals: Readonly<Record<string, AbortSignal>>;
  /** Classes of which no object may outlive its job; looking for them walks the whole heap. */
  readonly classes: Readonly<Record<string, new (...args: never[]) => object>>;
  /** Whether the reading is compared with another one: only then is all freed that can be freed, which takes a second. */
  readonly compared: boolean;
}

/** What finalizers free, the next round collects. */
const COLLECTIONS = 4;
/** What a connection shows itself as; counted apart. */
const CONNECTIONS = new Set(['TCPSocketWrap', 'TCPConnectWrap', 'GetAddrInfoReqWrap']);

/** Reads a process that is at rest. Needs --expose-gc. */
export async function takeReading(watched: Watched): Promise<Reading> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('start this process with --expose-gc');
  for (let round = 0; round < (watched.compared ? COLLECTIONS : 1); round += 1) {
    // The flavour that also hands free pages back to the system: resident memory then tells of what is held.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await sleep(10);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo().filter((name) => !CONNECTIONS.has(name));
  const files = [...(await openDescriptors()).values()];
  const counts: Record<string, number> = {
    'open files': files.filter((target) => !target.startsWith('socket:')).length,
  };
  for (const name of resources) counts[`active ${name}`] = (counts[`active ${name}`] ?? 0) + 1;
  for (const [name, emitter] of Object.entries(watched.emitters)) {
    counts[`listeners of ${name}`] = emitter.eventNames().reduce((sum, event) => sum + emitter.listenerCount(event), 0);
  }
  for (const [name, signal] of Object.entries(watched.signals)) {
    counts[`listeners of ${name}`] = getEventListeners(signal, 'abort').length;
  }
  for (const [name, type] of Object.entries(watched.classes)) {
    counts[`objects ${name}`] = queryObjects(type, { format: 'count' });
  }
  return { memory: { heapUsed, external, rss }, counts, sockets: files.length - (counts['open files'] ?? 0) };
}
