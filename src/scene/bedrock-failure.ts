import { Failure } from '../failure/failure.ts';
import { outsideText } from '../text/outside-text.ts';
import { meaningOfAwsError } from '../failure/sources/aws.ts';

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
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) {
    return new Failure('SCENE_FAILED', `${where}: ${outsideText(String(error))}`, { cause: error });
  }
  const code = meaningOfAwsError(error, 'bedrock') ?? 'SCENE_FAILED';
  return new Failure(code, `${where}: ${outsideText(`${error.name}: ${error.message}`, 500)}`, { cause: error });
}
