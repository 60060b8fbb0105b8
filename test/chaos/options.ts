export interface ChaosOptions {
  readonly seed: number;
  readonly workers: number;
  readonly jobs: number;
  /** Faults end after so many; the jobs then finish undisturbed. */
  readonly faults: number;
  /** `full`: with pauses of a minute and more, which a worker with a long lease must outlive. */
  readonly form: 'short' | 'full';
  /** Of the queue's redrive policy. */
  readonly maxReceives: number;
  /** This process may mount: it has a mount namespace of its own, so that nothing is left of them. */
  readonly canMount: boolean;
  /** Every line that a worker writes goes to this file as well; null keeps only the last ones. */
  readonly logFile: string | null;
  readonly say: (line: string) => void;
}

/** A fault costs a receive at the most; among so many none may come near the limit. */
const PLENTY_OF_RECEIVES = 100;
/** What operators set most often. */
const FEW_RECEIVES = 5;

/** Every other seed has the redrive policy of an operator. */
export function receivesOfSeed(seed: number): number {
  return seed % 2 === 1 ? FEW_RECEIVES : PLENTY_OF_RECEIVES;
}
