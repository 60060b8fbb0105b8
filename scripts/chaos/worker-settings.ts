/** What the chaos run tells a worker process in its first argument, as JSON. */
export interface ChaosWorkerSettings {
  readonly workerId: string;
  readonly region: string;
  readonly sqsEndpoint: string;
  readonly s3Endpoint: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly databaseUrl: string;
  readonly schema: string;
  readonly workDir: string;
  readonly highlightsBucket: string;
  readonly visibilitySeconds: number;
  readonly aliveSeconds: number;
  readonly drainMs: number;
  /** Milliseconds that the scripted model takes for a frame, so that a fault finds jobs under way. */
  readonly frameMs: number;
}
