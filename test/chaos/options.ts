export interface ChaosOptions {
  readonly seed: number;
  readonly workers: number;
  readonly jobs: number;
  /** Faults end after so many; the jobs then finish undisturbed. */
  readonly faults: number;
  /** Every line that a worker writes goes to this file as well; null keeps only the last ones. */
  readonly logFile: string | null;
  readonly say: (line: string) => void;
}
