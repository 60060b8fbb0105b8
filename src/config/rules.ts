import type { Need } from './key.ts';
import type { Config } from './values.ts';
import { isLoopback } from '../telemetry/loopback.ts';

/** Rules between variables: each broken one as a sentence that names them. `needs` are those of the command. */
export function brokenRules(config: Config, needs: ReadonlySet<Need>): string[] {
  const { queue, worker, health, scene, analysis } = config;
  const broken: string[] = [];
  if (needs.has('queue')) {
    const urls = [queue.url, queue.urlHigh, queue.urlLow, queue.deadLetterUrl].filter((url) => url !== null);
    if (new Set(urls).size < urls.length) {
      broken.push('SQS_QUEUE_URL, SQS_QUEUE_URL_HIGH, SQS_QUEUE_URL_LOW and SQS_DLQ_URL must be different queues');
    }
    if (worker.drainSeconds > worker.maxProcessingSeconds) {
      broken.push(
        `DRAIN_SECONDS (${worker.drainSeconds}) must not be over MAX_PROCESSING_SECONDS (${worker.maxProcessingSeconds}): no job can run longer`,
      );
    }
    if (analysis.highlightActions.length > 0 && analysis.highlightsBucket === null) {
      broken.push('HIGHLIGHTS_BUCKET must be set, or HIGHLIGHT_ACTIONS must be off');
    }
  }
  // Whoever opens no port can do without the token, which systemd may hand to the service alone.
  if (needs.has('health') && health.port !== 0 && health.token === null && !isLoopback(health.host)) {
    broken.push(
      `HEALTH_HOST is ${health.host}, which other hosts can reach: set HEALTH_TOKEN or HEALTH_TOKEN_FILE (\`openssl rand -hex 32\` makes one), or HEALTH_HOST=127.0.0.1`,
    );
  }
  if (scene.source !== 'bedrock' && scene.bedrockEndpointUrl !== null) {
    broken.push(`BEDROCK_ENDPOINT_URL is set while SCENE is ${scene.source}: set SCENE=bedrock or remove it`);
  }
  return broken;
}
