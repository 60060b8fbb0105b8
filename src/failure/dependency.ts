import { FAILURE_CODES, type Dependency } from './codes.ts';
import type { Disposition } from './disposition.ts';
import type { Failure } from './failure.ts';
import type { JobStage } from './stage.ts';

/** Whom a stage of a job calls; those that are not here call nobody. */
const CALLED_IN: Readonly<Partial<Record<JobStage, Dependency>>> = {
  register: 'database',
  head: 'storage',
  claim: 'database',
  download: 'storage',
  scene: 'bedrock',
  highlights: 'storage',
  store: 'database',
};

/** The dependency that is away according to this failure; null when it says nothing of the kind. */
export function dependencyOf({ code, stage }: Failure): Dependency | null {
  const { away } = FAILURE_CODES[code];
  if (away === undefined) return null;
  if (away !== 'called by the stage') return away;
  return (stage === null ? undefined : CALLED_IN[stage]) ?? 'service';
}

/** Whether somebody else is away, so that the message may wait for them; an error that no rule knows may be its own. */
export function isAway(failure: Failure): boolean {
  const dependency = dependencyOf(failure);
  return dependency !== null && dependency !== 'host';
}

/** Who answered, going by how a job ended: one that stopped at the first step never asked the database. */
export function answeredIn(disposition: Disposition): readonly Dependency[] {
  if (disposition.kind === 'ack') {
    // The store told what it is, and nobody else was asked.
    if (disposition.outcome === 'ignored') return ['storage', 'service'];
    return disposition.outcome === 'completed'
      ? ['storage', 'database', 'bedrock', 'service', 'host']
      : ['storage', 'database', 'service'];
  }
  // It was the claim that found the other run.
  if (disposition.kind === 'wait') return disposition.why === 'object' ? ['storage', 'database', 'service'] : [];
  if (disposition.kind !== 'reject' || disposition.failure.class !== 'permanent') return [];
  return disposition.failure.stage === 'head' ? ['storage', 'service'] : ['storage', 'database', 'service'];
}
