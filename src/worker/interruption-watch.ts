import type { Logger } from '../telemetry/logger.ts';

export interface HostNotice {
  readonly kind: 'spot-interruption' | 'rebalance' | 'auto-scaling-terminated';
  /** When the host goes away, as far as it is said. */
  readonly at: string | null;
}

export interface InterruptionWatchOptions {
  /** `http://169.254.169.254`, or a fake. */
  readonly endpoint: string;
  readonly intervalMs: number;
  readonly timeoutMs?: number;
  readonly logger: Logger;
  readonly onNotice: (notice: HostNotice) => void;
}

const TOKEN_SECONDS = 21_600;

/**
 * Asks the instance metadata service (version 2, with a session token) every interval whether this host goes away, and
 * tells each kind of notice once. Off AWS the service does not answer, which is no notice. Returns the way to stop.
 * Paths: EC2 User Guide, "Spot Instance interruption notices", "rebalance recommendations"; Auto Scaling User Guide,
 * "Retrieve the target lifecycle state".
 */
export function watchInterruptions(options: InterruptionWatchOptions): () => Promise<void> {
  const { endpoint, intervalMs, timeoutMs = 1_000, logger } = options;
  const stopped = new AbortController();
  const told = new Set<HostNotice['kind']>();
  let token: string | null = null;

  const call = async (method: string, path: string, headers: Record<string, string>): Promise<Response> =>
    await fetch(`${endpoint}/latest/${path}`, {
      method,
      headers,
      signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(timeoutMs)]),
    });

  const read = async (path: string): Promise<string | null> => {
    if (token === null) {
      const answer = await call('PUT', 'api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) });
      const text = await answer.text();
      if (!answer.ok) return null;
      token = text;
    }
    const answer = await call('GET', `meta-data/${path}`, { 'x-aws-ec2-metadata-token': token });
    const text = await answer.text();
    // An expired token: the next round asks for a new one.
    if (answer.status === 401) token = null;
    return answer.ok ? text : null;
  };

  const tell = (kind: HostNotice['kind'], at: string | null): void => {
    if (told.has(kind)) return;
    told.add(kind);
    logger.warn({ notice: kind, at }, 'the host announces that it goes away');
    options.onNotice({ kind, at });
  };

  const round = async (): Promise<void> => {
    const action = await read('spot/instance-action');
    if (action !== null) tell('spot-interruption', timeOf(action, 'time'));
    const rebalance = await read('events/recommendations/rebalance');
    if (rebalance !== null) tell('rebalance', timeOf(rebalance, 'noticeTime'));
    const state = await read('autoscaling/target-lifecycle-state');
    if (state?.trim() === 'Terminated') tell('auto-scaling-terminated', null);
  };

  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await round();
      } catch (error) {
        if (!stopped.signal.aborted) logger.debug({ err: error }, 'the instance metadata service does not answer');
      }
      await sleep(intervalMs, stopped.signal);
    }
  };
  const running = loop();
  return async () => {
    stopped.abort();
    await running;
  };
}

/** The notice counts even where its text cannot be read. */
function timeOf(text: string, field: string): string | null {
  try {
    const value: unknown = (JSON.parse(text) as Record<string, unknown>)[field];
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
