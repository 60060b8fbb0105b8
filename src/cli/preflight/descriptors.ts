import { MOST_HEALTH_CONNECTIONS } from '../../telemetry/health-server.ts';
import { type Check, type Finding, fail, ok, skipped, OWN_HOST_LIMIT_MS } from './check.ts';

/** Descriptors of this process. */
export interface Descriptors {
  /** How many it may have: Node has raised the soft limit to the hard one by then. Infinity: no limit. */
  readonly limit: number;
  /** Open at the moment, those among them that it was started with. */
  readonly open: number;
}

export interface DescriptorDeps {
  /** Rejects where the system does not tell them. */
  descriptors(): Promise<Descriptors>;
}

/** What the configuration asks for, as far as it takes descriptors. */
export interface DescriptorSettings {
  readonly videos: number;
  readonly pipelines: number;
  readonly device: 'cpu' | 'cuda';
  readonly databaseConnections: number;
  readonly hasHealthPort: boolean;
}

/** Node, its pool of threads, the log, the guard of the decoders and the files of a start; 31 are open when the checks are made. */
const BASE = 40;
/** A thread of its own for each kind of model: an event loop each, of five or six. */
const PER_PIPELINE = 12;
/** The driver's devices and maps, of which it opens some for each context. */
const CUDA = 64;
/** Decoder with pipes and sockets, frame thread, download, and what is read of the system when a decoder ends; six are the usual. */
const PER_VIDEO = 16;
/** Four polls, and renewals and settling beside them. */
const QUEUES = 24;
/** The one that listens, and for the moment of a new one another. */
const HEALTH = MOST_HEALTH_CONNECTIONS + 2;
const MARGIN = 16;

/** Descriptors that a worker with these settings may have open at once. */
export function neededDescriptors(settings: DescriptorSettings, open: number): number {
  return (
    Math.max(BASE, open) +
    settings.pipelines * PER_PIPELINE +
    (settings.device === 'cuda' ? CUDA : 0) +
    settings.videos * PER_VIDEO +
    settings.databaseConnections +
    QUEUES +
    (settings.hasHealthPort ? HEALTH : 0) +
    MARGIN
  );
}

/** Whether there are descriptors for all that is open at once: a worker that runs out of them cannot renew its leases. */
export function descriptorsCheck(deps: DescriptorDeps, settings: DescriptorSettings): Check {
  return {
    name: 'descriptors',
    timeoutMs: OWN_HOST_LIMIT_MS,
    fix: 'look at /proc/self/limits',
    severity: 'warn',
    run: async () => {
      const found = await deps.descriptors().catch(() => null);
      return found === null ? skipped('the system does not tell how many there may be') : judge(found, settings);
    },
  };
}

function judge({ limit, open }: Descriptors, settings: DescriptorSettings): Finding {
  const needed = neededDescriptors(settings, open);
  const detail = `${limit === Infinity ? 'no limit' : `at most ${limit}`}; this configuration may need ${needed}`;
  if (limit >= needed) return ok(detail);
  return fail(
    detail,
    `raise the limit (LimitNOFILE=65536 in the unit, --ulimit nofile=65536 of a container, \`ulimit -Hn\` of the shell), or lower CONCURRENCY, PIPELINES or DATABASE_POOL_SIZE`,
  );
}

/** The soft limit in the text of `/proc/self/limits`; throws where it is not in there. */
export function parseDescriptorLimit(text: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)\s/m.exec(text)?.[1];
  if (soft === undefined) throw new Error('no line about open files');
  return soft === 'unlimited' ? Infinity : Number(soft);
}
