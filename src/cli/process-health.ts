import type { Logger } from '../telemetry/logger.ts';
import {
  MOST_HEALTH_CONNECTIONS,
  startHealthServer,
  type HealthReport,
  type HealthSettings,
  type HealthSource,
} from '../telemetry/health-server.ts';

/** The health endpoints over the life of the process. */
export interface ProcessHealth extends AsyncDisposable {
  /** Answers from this source from now on. */
  follow(source: HealthSource): void;
}

/** A start may wait for hours: whoever restarts what does not answer must see that it lives. */
const STARTING: HealthSource = {
  live: () => reportStart(true),
  ready: () => reportStart(false),
  metrics: () => '',
};

/** Opens the endpoints, which say that the worker is starting until there is one to follow; port 0 opens none. */
export async function openHealth(settings: HealthSettings, logger: Logger): Promise<ProcessHealth> {
  let source = STARTING;
  const server =
    settings.port === 0
      ? null
      : await startHealthServer(
          { ...settings, onCrowd: crowdTeller(logger) },
          {
            live: () => source.live(),
            ready: () => source.ready(),
            metrics: () => source.metrics(),
            statistics: () => source.statistics?.() ?? {},
          },
        );
  return {
    follow(next) {
      source = next;
    },
    [Symbol.asyncDispose]: async () => {
      await server?.close();
    },
  };
}

function reportStart(ok: boolean): HealthReport {
  return { ok, details: { state: 'starting', busy: 0, waiting: 0, renewalsHealthy: true, pollAgeMs: null } };
}

const CROWD_LOG_MS = 60_000;

/** Once in a while, with how many there were since: a crowd is not to fill the log as well. */
function crowdTeller(logger: Logger): () => void {
  let closed = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return () => {
    closed += 1;
    if (performance.now() - toldAt < CROWD_LOG_MS) return;
    toldAt = performance.now();
    logger.warn(
      { closed, most: MOST_HEALTH_CONNECTIONS },
      'a crowd of connections to the health port: those without a request are closed',
    );
    closed = 0;
  };
}
