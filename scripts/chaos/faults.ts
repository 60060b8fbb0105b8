import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../../test/support/fault-proxy.ts';
import type { TestPostgres } from '../../test/support/postgres.ts';
import type { Fleet } from './fleet.ts';
import { pick } from './random.ts';

export interface FaultTargets {
  readonly fleet: Fleet;
  readonly sqs: FaultProxy;
  readonly s3: FaultProxy;
  readonly database: FaultProxy;
  readonly postgres: TestPostgres;
  readonly duplicate: () => Promise<void>;
  readonly visibilitySeconds: number;
}

export type FaultName =
  | 'kill'
  | 'freeze'
  | 'terminate'
  | 'cut'
  | 'blackhole'
  | 'unavailable'
  | 'database-restart'
  | 'duplicate';

const WEIGHTS: readonly (readonly [FaultName, number])[] = [
  ['kill', 5],
  ['freeze', 2],
  ['terminate', 4],
  ['cut', 4],
  ['blackhole', 2],
  ['unavailable', 3],
  ['database-restart', 1],
  ['duplicate', 4],
];

/** Every kind once, shuffled, before chance decides: a short run has seen them all. */
export function* faultPlan(random: () => number): Generator<FaultName, never> {
  const first = WEIGHTS.map(([name]) => ({ name, order: random() }));
  for (const { name } of first.sort((a, b) => a.order - b.order)) yield name;
  for (;;) yield pick(random, WEIGHTS);
}

/** Does one fault and resolves when it is over; what it did to the workers may last longer. */
export async function doFault(name: FaultName, targets: FaultTargets, random: () => number): Promise<void> {
  const { fleet, sqs, s3, database, postgres } = targets;
  const slot = Math.floor(random() * fleet.size);
  const proxy = pick(random, [
    [sqs, 1],
    [s3, 1],
    [database, 1],
  ]);
  switch (name) {
    case 'kill':
      return await fleet.kill(slot);
    case 'terminate':
      return await fleet.terminate(slot);
    case 'freeze':
      return await fleet.freeze(slot, (targets.visibilitySeconds + 1 + random() * 2) * 1000);
    case 'cut':
      proxy.cut();
      return;
    case 'blackhole':
      proxy.blackhole();
      await sleep(1_000 + random() * 3_000);
      proxy.heal();
      // What was swallowed is lost: a stream with a hole in it must not go on.
      proxy.cut();
      return;
    case 'unavailable': {
      const http = random() < 0.5 ? sqs : s3;
      http.respond(503);
      await sleep(500 + random() * 1_500);
      http.heal();
      return;
    }
    case 'database-restart':
      return await postgres.restart();
    case 'duplicate':
      return await targets.duplicate();
  }
}
