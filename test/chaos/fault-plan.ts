import type { ChaosOptions } from './options.ts';
import { pick } from './random.ts';

export type Link = 'sqs' | 's3' | 'database';

/** One fault, with everything that chance decides about it. `slot` is a worker's. */
export type Fault =
  | { readonly kind: 'kill' | 'terminate'; readonly slot: number }
  /** Stopped for longer than a lease lasts. */
  | { readonly kind: 'freeze'; readonly slot: number; readonly pastLeaseMs: number }
  | { readonly kind: 'cut'; readonly link: Link }
  /** Connections are reset once the server has answered so many bytes. */
  | { readonly kind: 'reset-mid-body'; readonly link: Link; readonly bytes: number; readonly times: number }
  | { readonly kind: 'blackhole'; readonly link: Link; readonly ms: number }
  | { readonly kind: 'delay'; readonly link: Link; readonly ms: number; readonly byMs: number }
  | { readonly kind: 'unavailable'; readonly link: 'sqs' | 's3'; readonly ms: number; readonly status: 500 | 503 }
  | { readonly kind: 'throttle'; readonly link: 'sqs' | 's3'; readonly ms: number }
  /** Batch calls are answered with 200 and a failure for each entry. */
  | { readonly kind: 'failed-entries'; readonly ms: number }
  | { readonly kind: 'database-restart' }
  /** A second message about a video; `choice` in [0, 1) picks it. */
  | { readonly kind: 'duplicate'; readonly choice: number };

export type FaultKind = Fault['kind'];

export interface PlannedFault {
  readonly fault: Fault;
  /** Milliseconds after the fault before it. */
  readonly afterMs: number;
}

const WEIGHTS: readonly (readonly [FaultKind, number])[] = [
  ['kill', 5],
  ['terminate', 4],
  ['freeze', 2],
  ['cut', 3],
  ['reset-mid-body', 3],
  ['blackhole', 2],
  ['delay', 2],
  ['unavailable', 3],
  ['throttle', 2],
  ['failed-entries', 3],
  ['database-restart', 2],
  ['duplicate', 4],
];

/**
 * The faults of a run, decided before it starts: every kind once, shuffled, and then as chance has it. They are spread over
 * the time of the jobs, about a second each.
 */
export function planFaults(
  random: () => number,
  { faults: count, workers, jobs }: Pick<ChaosOptions, 'faults' | 'workers' | 'jobs'>,
): PlannedFault[] {
  const pace = Math.max(1, jobs / count);
  const first = WEIGHTS.map(([kind]) => ({ kind, order: random() })).sort((a, b) => a.order - b.order);
  return Array.from({ length: count }, (_, index) => ({
    fault: decide(first[index]?.kind ?? pick(random, WEIGHTS), random, workers),
    afterMs: pace * (300 + random() * 1_700),
  }));
}

function decide(kind: FaultKind, random: () => number, workers: number): Fault {
  const slot = (): number => Math.floor(random() * workers);
  const between = (low: number, high: number): number => Math.round(low + random() * (high - low));
  const http = (): 'sqs' | 's3' => (random() < 0.5 ? 'sqs' : 's3');
  const link = (): Link =>
    pick<Link>(random, [
      ['sqs', 1],
      ['s3', 1],
      ['database', 1],
    ]);
  switch (kind) {
    case 'kill':
    case 'terminate':
      return { kind, slot: slot() };
    case 'freeze':
      return { kind, slot: slot(), pastLeaseMs: between(1_000, 3_000) };
    case 'cut':
      return { kind, link: link() };
    case 'reset-mid-body':
      return { kind, link: link(), bytes: between(100, 60_000), times: between(1, 4) };
    case 'blackhole':
      return { kind, link: link(), ms: between(1_000, 4_000) };
    case 'delay':
      return { kind, link: link(), ms: between(2_000, 5_000), byMs: between(100, 1_000) };
    case 'unavailable':
      return { kind, link: http(), ms: between(500, 2_500), status: random() < 0.5 ? 500 : 503 };
    case 'throttle':
      return { kind, link: http(), ms: between(500, 2_500) };
    case 'failed-entries':
      return { kind, ms: between(1_000, 4_000) };
    case 'database-restart':
      return { kind };
    case 'duplicate':
      return { kind, choice: random() };
  }
}
