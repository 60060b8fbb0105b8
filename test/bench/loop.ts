import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { startLocalStack } from '../../src/local/stack.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { rounded } from './figures.ts';
import { leaseGaps, watchLeases } from './loop/lease-watch.ts';
import { thisMachine } from './machine.ts';
import { streetFootage } from './street-footage.ts';
import { enqueue, untilStored } from './videos-at-once.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  videos: { type: 'string', default: '16' },
  'at-once': { type: 'string', default: '4' },
  entry: { type: 'string', default: 'src/cli/start-worker.ts' },
} as const;

const LIMIT_MS = 1_200_000;
const LEASE_SECONDS = 30;
/** Renewals are due at a third of the lease, a sixth of that earlier or later at most (15 %). */
const LATEST_RENEWAL_SECONDS = (LEASE_SECONDS / 3) * 1.15;
/** A call may take its time to come here. */
const GRACE_SECONDS = 0.5;
const AIMS = { loopDelayP99Ms: 20, lateRenewals: 0 };

/**
 * The daemon with several videos at work on a queue, a store and a database of this machine, until all are stored: its own figures of its
 * event loop's delay, from its start on, and when it renewed its leases, as the queue saw it. `--entry` is another daemon.
 */
export async function benchLoop(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  const street = await streetFootage();
  if (street === null) return { loop: 'skipped: the street pack and its clip are not here; set STREET_DIR' };
  const signal = AbortSignal.timeout(LIMIT_MS);
  await using folder = await temporaryFolder('bench-loop');
  await using stack = await startLocalStack({ dataDir: 'memory', port: 0 });
  const server = new URL(stack.endpoint);
  await using leases = await watchLeases(Number(server.port));
  const healthPort = await freePort();
  const env = {
    ...stack.env,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${leases.port}`,
    DEVICE: 'cpu',
    SCENE: 'off',
    MODEL_PACK: street.pack,
    WORK_DIR: folder.path,
    CONCURRENCY: values['at-once'],
    SQS_WAIT_SECONDS: '1',
    VISIBILITY_TIMEOUT_SECONDS: String(LEASE_SECONDS),
    HEALTH_PORT: String(healthPort),
  };
  const ids = Array.from({ length: Number(values.videos) }, (_, i) => `loop-${i}`);
  await enqueue(stack, street.clip, ids, signal);
  await using daemon = new DaemonProcess({ entry: values.entry, env });
  const started = performance.now();
  await Promise.race([
    untilStored(stack.databaseUrl, ids, signal),
    daemon.ended.then((end) => Promise.reject(new Error(`the daemon ended with ${end}:\n${daemon.words}`))),
  ]);
  const wallSeconds = (performance.now() - started) / 1000;
  const metrics = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`, { signal })).text();
  await daemon.stop('SIGTERM');
  const gaps = leaseGaps(leases.calls);
  const milliseconds = (name: string): number => rounded(metric(metrics, name) * 1000);
  return {
    machine: thisMachine(),
    aims: AIMS,
    videos: ids.length,
    atOnce: Number(values['at-once']),
    wallSeconds: rounded(wallSeconds),
    framesPerSecond: rounded(metric(metrics, 'video_worker_frames_total') / wallSeconds),
    loopDelayMs: {
      p99: milliseconds('video_worker_loop_delay_p99_seconds'),
      longest: milliseconds('video_worker_loop_delay_max_seconds'),
    },
    leases: {
      seconds: LEASE_SECONDS,
      renewals: metric(metrics, 'video_worker_lease_renewals_total'),
      lost: metric(metrics, 'video_worker_leases_lost_total'),
      latestPlannedSeconds: LATEST_RENEWAL_SECONDS,
      longestGapSeconds: rounded(gaps[0] ?? 0),
      lateRenewals: gaps.filter((gap) => gap > LATEST_RENEWAL_SECONDS + GRACE_SECONDS).length,
    },
  };
}

/** Of a metric without labels, or the sum over them; 0 where it has none yet. */
export function metric(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
