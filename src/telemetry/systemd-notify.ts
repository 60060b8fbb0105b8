import type { Logger } from './logger.ts';
import { openNotifyChannel, type SystemdEnvironment } from './notify-channel.ts';

export interface SystemdNotifier extends Disposable {
  ready(status: string): Promise<void>;
  stopping(status: string): Promise<void>;
  status(text: string): Promise<void>;
  /** Says what a start does, and that it takes so much longer (milliseconds): otherwise TimeoutStartSec ends it. */
  extendStart(status: string, ms: number): Promise<void>;
  /** Says that the stop takes so much longer (milliseconds, from now): otherwise TimeoutStopSec ends it. */
  extendStop(ms: number): Promise<void>;
  /** Beats at half of the unit's WatchdogSec for as long as `isHealthy` says so; nothing without a watchdog. */
  watch(isHealthy: () => boolean): void;
}

export interface NotifierOptions {
  /** The variables that systemd and the launcher have set; without them the notifier does nothing. */
  readonly env: SystemdEnvironment;
  readonly logger: Logger;
  /** Program that sends the words where there is no socket of our own, `systemd-notify` when absent. */
  readonly program?: string;
}

/** One line of a terminal, and far below the 4,096 bytes at which systemd drops a whole datagram. */
const MAX_STATUS = 256;

/** Speaks to systemd. A word that cannot be said is logged and never disturbs the work. */
export function createSystemdNotifier(options: NotifierOptions): SystemdNotifier {
  const { env, logger } = options;
  const channel = openNotifyChannel(env, options.program);
  let beat: NodeJS.Timeout | null = null;
  let last = Promise.resolve();

  // In turn: of two states the later one must stay, and children are as fast as chance has it.
  const say = (...words: readonly string[]): Promise<void> => {
    if (channel === null) return last;
    last = last
      .then(() => channel(words))
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'systemd could not be notified');
      });
    return last;
  };

  return {
    ready: (status) => say('READY=1', statusWord(status)),
    stopping: (status) => say('STOPPING=1', statusWord(status)),
    status: (text) => say(statusWord(text)),
    extendStart: (status, ms) => say(extension(ms), statusWord(status)),
    extendStop: (ms) => say(extension(ms)),
    watch(isHealthy) {
      const everyMs = watchdogIntervalMs(env, process.pid);
      if (everyMs === null || channel === null || beat !== null) return;
      beat = setInterval(() => {
        if (isHealthy()) void say('WATCHDOG=1');
        else logger.error('not healthy: no watchdog beat for systemd');
      }, everyMs);
      beat.unref();
    },
    [Symbol.dispose]() {
      if (beat !== null) clearInterval(beat);
      beat = null;
    },
  };
}

/** Half of the watchdog's limit in milliseconds; null where none is set or where it is meant for another process. */
export function watchdogIntervalMs(env: SystemdEnvironment, pid: number): number | null {
  const limit = Number(env.WATCHDOG_USEC ?? Number.NaN);
  if (!Number.isFinite(limit) || limit <= 0) return null;
  if (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(pid)) return null;
  return Math.max(1, Math.floor(limit / 2000));
}

function extension(ms: number): string {
  return `EXTEND_TIMEOUT_USEC=${Math.max(1, Math.round(ms * 1_000))}`;
}

/** A new line would begin a word of its own, such as MAINPID=; other control characters would reach terminals. */
function statusWord(text: string): string {
  const line = text.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
  return `STATUS=${line.length > MAX_STATUS ? `${line.slice(0, MAX_STATUS - 1).toWellFormed()}…` : line}`;
}
