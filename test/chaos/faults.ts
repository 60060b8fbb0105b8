import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../harness/fault-proxy.ts';
import type { TestPostgres } from '../harness/postgres.ts';
import type { Fault, FaultKind, HostFault, Link, PlannedFault } from './fault-plan.ts';
import type { Fleet } from './fleet.ts';
import type { HostRoom } from './host-room.ts';
import type { Workload } from './workload.ts';

export interface FaultTargets {
  readonly fleet: Fleet;
  readonly links: Readonly<Record<Link, FaultProxy>>;
  readonly postgres: TestPostgres;
  /** What each worker has of the host for itself, by slot. */
  readonly rooms: readonly HostRoom[];
  readonly leaseMs: number;
  readonly workload: Workload;
  /** Share of the messages that were sent so far. */
  readonly progress: () => number;
}

/** How long connections that are to be reset in the middle may go on before the fault is over. */
const RESET_WINDOW_MS = 3_000;
const LONGEST_WAIT_MS = 5_000;
const SQS_THROTTLED = JSON.stringify({ __type: 'com.amazonaws.sqs#RequestThrottled', message: 'slow down' });
const S3_THROTTLED = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>slow down</Message></Error>';

/** When answers on a link could be lost: milliseconds since the epoch. */
export interface LinkTrouble {
  readonly link: Link;
  readonly from: number;
  readonly to: number;
}

export interface Disturbance {
  readonly counts: Readonly<Partial<Record<FaultKind, number>>>;
  readonly troubles: readonly LinkTrouble[];
  /** What this machine does not allow, in words. */
  readonly leftOut: readonly string[];
}

/** Does the planned faults one after another without waiting for their ends; resolves with what was done when all are over. */
export async function disturb(
  plan: readonly PlannedFault[],
  targets: FaultTargets,
  say: (line: string) => void,
): Promise<Disturbance> {
  const done: Partial<Record<FaultKind, number>> = {};
  const troubles: LinkTrouble[] = [];
  const leftOut = new Set<string>();
  const running: Promise<void>[] = [];
  // Faults overlap, as they do in life; two faults of one link or of one server come one after another.
  const lanes = new Map<string, Promise<void>>();
  for (const [index, { fault, afterMs }] of plan.entries()) {
    await sleep(afterMs);
    await keepPace(index / plan.length, targets);
    const why = isHostFault(fault) ? (targets.rooms[fault.slot]?.cannot(fault) ?? null) : null;
    if (why !== null) {
      leftOut.add(why);
      continue;
    }
    say(`fault ${index + 1} of ${plan.length}: ${describe(fault)}`);
    const lane = laneOf(fault);
    const start = async (): Promise<void> => {
      const from = Date.now();
      await doFault(fault, targets);
      const link = fault.kind === 'failed-entries' ? 'sqs' : 'link' in fault ? fault.link : null;
      if (link !== null) troubles.push({ link, from, to: Date.now() });
    };
    const work = lane === null ? start() : (lanes.get(lane) ?? Promise.resolve()).then(start);
    if (lane !== null) lanes.set(lane, work);
    running.push(work);
    done[fault.kind] = (done[fault.kind] ?? 0) + 1;
  }
  await Promise.all(running);
  return { counts: done, troubles, leftOut: [...leftOut] };
}

/** On a slow machine the faults wait for the jobs, or the later half of the jobs would see none; not for ever, as faults hold jobs up. */
async function keepPace(share: number, { progress }: FaultTargets): Promise<void> {
  const end = performance.now() + LONGEST_WAIT_MS;
  while (progress() < share && performance.now() < end) await sleep(100);
}

function describe(fault: Fault): string {
  return (Object.values(fault) as (string | number | boolean)[])
    .map((value) => (typeof value === 'number' ? String(Number(value.toFixed(3))) : String(value)))
    .join(' ');
}

function isHostFault(fault: Fault): fault is HostFault {
  return fault.kind === 'tool' || fault.kind === 'work-folder' || fault.kind === 'descriptors';
}

function laneOf(fault: Fault): string | null {
  // One broken host at a time: the others go on.
  if (isHostFault(fault)) return 'host';
  if (fault.kind === 'freeze' || fault.kind === 'long-freeze') return `freeze ${fault.slot}`;
  if (fault.kind === 'failed-entries') return 'sqs';
  if (fault.kind === 'database-restart') return 'postgres';
  return 'link' in fault ? fault.link : null;
}

async function doFault(
  fault: Fault,
  { fleet, links, postgres, rooms, leaseMs, workload }: FaultTargets,
): Promise<void> {
  const hold = async (proxy: FaultProxy, ms: number): Promise<void> => {
    await sleep(ms);
    proxy.heal();
  };
  switch (fault.kind) {
    case 'kill':
      return await fleet.kill(fault.slot);
    case 'terminate':
      return await fleet.terminate(fault.slot);
    case 'freeze':
      return await fleet.freezePastLease(fault.slot, leaseMs + fault.pastLeaseMs);
    case 'long-freeze':
      return await fleet.freezeWithinLease(fault.slot, fault.ms);
    case 'cut':
      links[fault.link].cut();
      return;
    case 'reset-mid-body':
      links[fault.link].cutAfterBytes(fault.bytes, fault.times);
      return await hold(links[fault.link], RESET_WINDOW_MS);
    case 'blackhole':
      links[fault.link].blackhole();
      await hold(links[fault.link], fault.ms);
      // What was swallowed is lost: a stream with a hole in it must not go on.
      links[fault.link].cut();
      return;
    case 'delay':
      links[fault.link].delay(fault.byMs);
      return await hold(links[fault.link], fault.ms);
    case 'unavailable':
      links[fault.link].respond(fault.status);
      return await hold(links[fault.link], fault.ms);
    case 'throttle':
      if (fault.link === 'sqs') links.sqs.respond(400, SQS_THROTTLED);
      else links.s3.respond(503, S3_THROTTLED);
      return await hold(links[fault.link], fault.ms);
    case 'failed-entries':
      links.sqs.answer(failEntries);
      return await hold(links.sqs, fault.ms);
    case 'database-restart':
      return await postgres.restart();
    case 'tool':
    case 'work-folder':
    case 'descriptors': {
      const room = rooms[fault.slot];
      if (room === undefined) throw new RangeError(`no worker in slot ${fault.slot}`);
      return await fleet.breakHost(fault.slot, fault.ms, (pid) => room.break(fault, pid));
    }
    case 'duplicate':
      return await workload.duplicate(fault, fleet.witness.busyKeys);
    case 're-upload':
      return await workload.uploadAgain(fault, fleet.witness.busyKeys);
  }
}

/** A batch call comes back as a whole with a failure for each entry; other requests pass. */
function failEntries(request: string): { readonly status: number; readonly body: string } | null {
  if (!/x-amz-target: *AmazonSQS\.\w+Batch\r/i.test(request)) return null;
  const body = JSON.parse(request.slice(request.indexOf('\r\n\r\n') + 4)) as { Entries: readonly { Id: string }[] };
  const Failed = body.Entries.map(({ Id }) => ({
    Id,
    Code: 'InternalError',
    SenderFault: false,
    Message: 'try again',
  }));
  return { status: 200, body: JSON.stringify({ Successful: [], Failed }) };
}
