import type { FailureCode } from '../failure/codes.ts';
import { Failure } from '../failure/failure.ts';

// Error names of the Bedrock runtime and of the AWS SDK's own layers.
const CODE_OF_NAME: Readonly<Record<string, FailureCode>> = {
  ThrottlingException: 'THROTTLED',
  TooManyRequestsException: 'THROTTLED',
  ServiceQuotaExceededException: 'THROTTLED',
  ServiceUnavailableException: 'SERVICE_UNAVAILABLE',
  InternalServerException: 'SERVICE_UNAVAILABLE',
  ModelNotReadyException: 'SERVICE_UNAVAILABLE',
  ModelTimeoutException: 'SERVICE_UNAVAILABLE',
  AccessDeniedException: 'CREDENTIALS',
  UnrecognizedClientException: 'CREDENTIALS',
  ExpiredTokenException: 'CREDENTIALS',
  InvalidSignatureException: 'CREDENTIALS',
  CredentialsProviderError: 'CREDENTIALS',
};

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

interface CallContext {
  readonly timedOut: boolean;
  readonly settings: { readonly modelId: string; readonly region: string; readonly timeoutMs: number };
}

/** What an error of a Converse call means; keeps the error as cause. */
export function bedrockFailure(error: unknown, { timedOut, settings }: CallContext): Failure {
  const where = `Bedrock model ${settings.modelId} in ${settings.region}`;
  if (timedOut) {
    return new Failure('TIMEOUT', `${where} did not answer within ${settings.timeoutMs} ms`, { cause: error });
  }
  if (!(error instanceof Error)) return new Failure('SCENE_FAILED', `${where}: ${String(error)}`, { cause: error });
  const code = CODE_OF_NAME[error.name] ?? codeOfStatus(error) ?? codeOfNetwork(error) ?? 'SCENE_FAILED';
  return new Failure(code, `${where}: ${error.name}: ${error.message}`, { cause: error });
}

/** True for failures that may be gone after a pause. */
export function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  return ['THROTTLED', 'SERVICE_UNAVAILABLE', 'TIMEOUT', 'NETWORK'].includes(error.code);
}

function codeOfStatus(error: Error): FailureCode | null {
  if (!('$metadata' in error)) return null;
  const status = (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode ?? 0;
  if (status === 429) return 'THROTTLED';
  return status >= 500 ? 'SERVICE_UNAVAILABLE' : null;
}

function codeOfNetwork(error: Error): FailureCode | null {
  if (error.name === 'TimeoutError') return 'TIMEOUT';
  const code = 'code' in error ? String(error.code) : '';
  return NETWORK_CODES.has(code) ? 'NETWORK' : null;
}
