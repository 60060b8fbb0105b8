import type { EventEmitter } from 'node:events';

export interface SignalListeners {
  /** The first SIGTERM or SIGINT. */
  readonly onFirst: (signal: NodeJS.Signals) => void;
  /** Any further one: whoever asks twice does not want to wait. */
  readonly onSecond: (signal: NodeJS.Signals) => void;
}

/** SIGHUP is not among them: a closed terminal must not end a daemon that systemd started. */
const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/** Listens for stop signals until the returned function is called. `source` is the process, or an emitter in tests. */
export function watchSignals(source: EventEmitter, listeners: SignalListeners): () => void {
  let count = 0;
  const listen = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1) listeners.onFirst(signal);
    else listeners.onSecond(signal);
  };
  for (const signal of STOP_SIGNALS) source.on(signal, listen);
  return () => {
    for (const signal of STOP_SIGNALS) source.off(signal, listen);
  };
}
