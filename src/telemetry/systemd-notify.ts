import { execFile } from 'node:child_process';

import type { Logger } from './logger.ts';

export interface SystemdNotifier extends Disposable {
  ready(status: string): Promise<void>;
  stopping(status: string): Promise<void>;
  status(text: string): Promise<void>;
  /** Says what the start waits for, and that it takes so much longer: otherwise TimeoutStartSec ends it. */
  extendStart(status: string, ms: number): Promise<void>;
  /** Beats at half of the unit's WatchdogSec for as long as `isHealthy` says so; nothing without a watchdog. */
  watch(isHealthy: () => boolean): void;
}

export interface SystemdEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

export interface NotifierOptions {
  /** The variables that systemd has set; without NOTIFY_SOCKET the notifier does nothing. */
  readonly env: SystemdEnvironment;
  readonly logger: Logger;
  /** Program that sends the words, `systemd-notify` when absent. */
  readonly program?: string;
}

const TIMEOUT_MS = 5_000;

/**
 * Speaks to systemd. Node has no unix datagram sockets, so a child says it, and the unit needs NotifyAccess=all. A word
 * that cannot be said is logged and never disturbs the work.
 */
export function createSystemdNotifier(options: NotifierOptions): SystemdNotifier {
  const { env, logger } = options;
  const socket = env.NOTIFY_SOCKET;
  let beat: NodeJS.Timeout | null = null;

  const say = async (...words: readonly string[]): Promise<void> => {
    if (socket === undefined || socket === '') return;
    await new Promise<void>((resolve) => {
      execFile(
        options.program ?? 'systemd-notify',
        // The main process is this one; without the id, systemd-notify could name its own short-lived parent.
        [`--pid=${process.pid}`, ...words],
        { timeout: TIMEOUT_MS, env: { NOTIFY_SOCKET: socket, PATH: '/usr/local/bin:/usr/bin:/bin' } },
        (error) => {
          if (error !== null) logger.warn({ err: error }, 'systemd could not be notified');
          resolve();
        },
      );
    });
  };

  return {
    ready: (status) => say('READY=1', `STATUS=${oneLine(status)}`),
    stopping: (status) => say('STOPPING=1', `STATUS=${oneLine(status)}`),
    status: (text) => say(`STATUS=${oneLine(text)}`),
    extendStart: (status, ms) => say(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1_000)}`, `STATUS=${oneLine(status)}`),
    watch(isHealthy) {
      const everyMs = watchdogIntervalMs(env, process.pid);
      if (everyMs === null || socket === undefined || beat !== null) return;
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

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
