import type { ChaosOptions } from './options.ts';
import { MESSAGE_FORMS, type MessageForm } from './message-forms.ts';
import { pick } from './random.ts';

export type Link = 'sqs' | 's3' | 'database';
/** What can be the matter with a work folder. */
export type FolderTrouble = 'no-folder' | 'read-only' | 'full';
/** What can become of a program: gone, killed at once, or without a library that it needs. */
export type ToolTrouble = 'missing' | 'killed' | 'exit-127';

/** Of the host of one worker, mended after a while. */
export type HostFault =
  | {
      readonly kind: 'tool';
      readonly slot: number;
      readonly ms: number;
      readonly tool: 'ffmpeg' | 'ffprobe';
      readonly trouble: ToolTrouble;
    }
  | { readonly kind: 'work-folder'; readonly slot: number; readonly ms: number; readonly trouble: FolderTrouble }
  /** The process gets no more files, pipes and sockets. */
  | { readonly kind: 'descriptors'; readonly slot: number; readonly ms: number };

/** One fault, with everything that chance decides about it. `slot` is a worker's. */
export type Fault =
  | { readonly kind: 'kill' | 'terminate'; readonly slot: number }
  /** Stopped for longer than a lease lasts. */
  | { readonly kind: 'freeze'; readonly slot: number; readonly pastLeaseMs: number }
  /** Stopped for a minute and more, but not for as long as its lease lasts. */
  | { readonly kind: 'long-freeze'; readonly slot: number; readonly ms: number }
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
  | HostFault
  /** Another message about a video, in whichever form and under this or another id; `choice` in [0, 1) picks it. */
  | { readonly kind: 'duplicate'; readonly choice: number; readonly form: MessageForm; readonly hasOtherId: boolean }
  /** Other content under the key of a video, and a message about it. */
  | { readonly kind: 're-upload'; readonly choice: number; readonly form: MessageForm };

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
  ['tool', 3],
  ['work-folder', 3],
  ['descriptors', 2],
  ['duplicate', 6],
  ['re-upload', 3],
];
const ONLY_FULL: readonly (readonly [FaultKind, number])[] = [['long-freeze', 1]];

type PlanOptions = Pick<ChaosOptions, 'faults' | 'workers' | 'jobs' | 'form'>;

/** In the full form the last worker has a lease that outlives a minute's pause: what would end its lease is done to the others. */
export function patientSlot({ form, workers }: Pick<ChaosOptions, 'form' | 'workers'>): number | null {
  return form === 'full' && workers > 1 ? workers - 1 : null;
}

/**
 * The faults of a run, decided before it starts: every kind once, shuffled, and then as chance has it. They are spread over
 * the time of the jobs, about a second each.
 */
export function planFaults(random: () => number, options: PlanOptions): PlannedFault[] {
  const { faults: count, jobs } = options;
  const weights = patientSlot(options) === null ? WEIGHTS : [...WEIGHTS, ...ONLY_FULL];
  const pace = Math.max(1, jobs / count);
  const first = weights.map(([kind]) => ({ kind, order: random() })).sort((a, b) => a.order - b.order);
  return Array.from({ length: count }, (_, index) => ({
    fault: decide(first[index]?.kind ?? pick(random, weights), random, options),
    afterMs: pace * (300 + random() * 1_700),
  }));
}

function decide(kind: FaultKind, random: () => number, options: PlanOptions): Fault {
  const { workers } = options;
  const patient = patientSlot(options);
  const slot = (among = workers): number => Math.floor(random() * among);
  const impatient = (): number => slot(patient ?? workers);
  const between = (low: number, high: number): number => Math.round(low + random() * (high - low));
  const oneOf = <T>(choices: readonly T[]): T =>
    pick<T>(
      random,
      choices.map((choice) => [choice, 1]),
    );
  const http = (): 'sqs' | 's3' => oneOf(['sqs', 's3']);
  const link = (): Link => oneOf<Link>(['sqs', 's3', 'database']);
  switch (kind) {
    case 'kill':
      return { kind, slot: impatient() };
    case 'terminate':
      return { kind, slot: slot() };
    case 'freeze':
      return { kind, slot: impatient(), pastLeaseMs: between(1_000, 3_000) };
    case 'long-freeze':
      return { kind, slot: patient ?? 0, ms: between(60_000, 80_000) };
    case 'cut':
      return { kind, link: link() };
    case 'reset-mid-body':
      return { kind, link: link(), bytes: between(100, 60_000), times: between(1, 4) };
    case 'blackhole':
      return { kind, link: link(), ms: between(1_000, 4_000) };
    case 'delay':
      return { kind, link: link(), ms: between(2_000, 5_000), byMs: between(100, 1_000) };
    case 'unavailable':
      return { kind, link: http(), ms: between(500, 2_500), status: oneOf([500, 503]) };
    case 'throttle':
      return { kind, link: http(), ms: between(500, 2_500) };
    case 'failed-entries':
      return { kind, ms: between(1_000, 4_000) };
    case 'database-restart':
      return { kind };
    case 'tool':
      return {
        kind,
        slot: slot(),
        ms: between(2_000, 6_000),
        tool: oneOf(['ffmpeg', 'ffprobe']),
        trouble: oneOf<ToolTrouble>(['missing', 'killed', 'exit-127']),
      };
    case 'work-folder':
      return {
        kind,
        slot: slot(),
        ms: between(2_000, 6_000),
        trouble: oneOf<FolderTrouble>(['no-folder', 'read-only', 'full']),
      };
    case 'descriptors':
      return { kind, slot: slot(), ms: between(2_000, 6_000) };
    case 'duplicate':
      return { kind, choice: random(), form: oneOf(MESSAGE_FORMS), hasOtherId: random() < 0.5 };
    case 're-upload':
      return { kind, choice: random(), form: oneOf(MESSAGE_FORMS) };
  }
}
