import type { EventEmitter } from 'node:events';

export interface SignalListeners {
  /** The first SIGTERM or SIGINT. */
  readonly onFirst: (signal: NodeJS.Signals) => void;
  /** Any further one: whoever asks twice does not want to wait. */
  readonly onSecond: (signal: NodeJS.Signals) => void;
}

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/** A closed terminal must not end the daemon, least of all without giving its messages back; Node would end it at once. */
const IGNORED_SIGNALS: readonly NodeJS.Signals[] = ['SIGHUP'];

/** Listens for stop signals until the returned function is called. `source` is the process, or an emitter in tests. */
export function watchSignals(source: EventEmitter, listeners: SignalListeners): () => void {
  let count = 0;
  const listen = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1) listeners.onFirst(signal);
    else listeners.onSecond(signal);
  };
  const ignore = (): void => {};
  for (const signal of STOP_SIGNALS) source.on(signal, listen);
  for (const signal of IGNORED_SIGNALS) source.on(signal, ignore);
  return () => {
    for (const signal of STOP_SIGNALS) source.off(signal, listen);
    for (const signal of IGNORED_SIGNALS) source.off(signal, ignore);
  };
}
