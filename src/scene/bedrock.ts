import { BedrockRuntimeClient, ConverseCommand, type ConverseCommandOutput } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { withNamedCredentials } from '../failure/sources/credentials.ts';
import { Failure } from '../failure/failure.ts';
import { RETRY_POLICIES, withRetries, type RetryPolicy } from '../failure/retry.ts';
import { bedrockFailure } from './bedrock-failure.ts';
import { roundTo } from '../analysis/box-geometry.ts';
import type { SceneDescriber, SceneSession } from '../analysis/scene-writer.ts';

export interface BedrockSettings {
  readonly region: string;
  readonly modelId: string;
  /** Null: the region's public endpoint. */
  readonly endpoint: string | null;
  /** Null: the default provider chain of the AWS SDK. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  /** Milliseconds of one call. */
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  /** Paid calls of one video, retries included. */
  readonly maxCallsPerVideo: number;
  /** Scene texts end when a video has cost as much; null: no limit. */
  readonly maxUsdPerVideo: number | null;
  readonly usdPerMillionInputTokens: number;
  readonly usdPerMillionOutputTokens: number;
  readonly maxTokens: number;
  readonly question: string;
}

/** Claude 3 Haiku at its list price. */
export const DEFAULT_BEDROCK_SETTINGS: BedrockSettings = {
  region: 'us-east-1',
  modelId: 'anthropic.claude-3-haiku-20240307-v1:0',
  endpoint: null,
  credentials: null,
  timeoutMs: 20_000,
  retry: RETRY_POLICIES.bedrock,
  maxCallsPerVideo: 200,
  maxUsdPerVideo: null,
  usdPerMillionInputTokens: 0.25,
  usdPerMillionOutputTokens: 1.25,
  maxTokens: 120,
  question:
    'This is a frame of CCTV footage of a small shop without staff. Describe in one or two plain sentences what the people in it are doing. Say so if nobody is there.',
};

export interface BedrockDescriber extends SceneDescriber {
  close(): void;
}

/** Scene texts by a model on Amazon Bedrock (Converse API), one call per picture, counted per video. */
export function createBedrockDescriber(settings: BedrockSettings): BedrockDescriber {
  const client = withNamedCredentials(
    new BedrockRuntimeClient({
      region: settings.region,
      ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
      ...(settings.credentials === null ? {} : { credentials: settings.credentials }),
      // Retries are made here, where they are counted and see the job's signal.
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ connectionTimeout: 5000 }),
    }),
  );
  return {
    source: 'bedrock',
    forVideo: () => createSession(client, settings),
    close() {
      client.destroy();
    },
  };
}

function createSession(client: BedrockRuntimeClient, settings: BedrockSettings): SceneSession {
  let calls = 0;
  let inputTokens = 0;
  let outputTokens = 0;
  const usd = (): number =>
    (inputTokens * settings.usdPerMillionInputTokens + outputTokens * settings.usdPerMillionOutputTokens) / 1e6;

  async function call(jpeg: Uint8Array, signal: AbortSignal): Promise<string> {
    checkBudget(settings, calls, usd());
    calls += 1;
    const limit = AbortSignal.timeout(settings.timeoutMs);
    let output: ConverseCommandOutput;
    try {
      output = await client.send(converse(settings, jpeg), { abortSignal: AbortSignal.any([signal, limit]) });
    } catch (error) {
      signal.throwIfAborted();
      throw bedrockFailure(error, { timedOut: limit.aborted, settings });
    }
    inputTokens += output.usage?.inputTokens ?? 0;
    outputTokens += output.usage?.outputTokens ?? 0;
    return textOf(output, settings);
  }

  return {
    describe: (jpeg, signal) => withRetries(() => call(jpeg, signal), { signal, policy: settings.retry }),
    cost: () => ({ calls, inputTokens, outputTokens, usd: roundTo(usd(), 6) }),
  };
}

function checkBudget(settings: BedrockSettings, calls: number, usd: number): void {
  if (calls >= settings.maxCallsPerVideo) {
    throw new Failure(
      'SCENE_FAILED',
      `the video's budget of ${settings.maxCallsPerVideo} Bedrock calls is used up; the rest has no scene texts`,
    );
  }
  if (settings.maxUsdPerVideo !== null && usd >= settings.maxUsdPerVideo) {
    throw new Failure(
      'SCENE_FAILED',
      `the video's Bedrock budget of ${settings.maxUsdPerVideo} USD is used up; the rest has no scene texts`,
    );
  }
}

function converse(settings: BedrockSettings, jpeg: Uint8Array): ConverseCommand {
  return new ConverseCommand({
    modelId: settings.modelId,
    messages: [
      {
        role: 'user',
        content: [{ image: { format: 'jpeg', source: { bytes: jpeg } } }, { text: settings.question }],
      },
    ],
    inferenceConfig: { maxTokens: settings.maxTokens, temperature: 0 },
  });
}

function textOf(output: ConverseCommandOutput, settings: BedrockSettings): string {
  const parts = output.output?.message?.content?.flatMap(({ text }) => (text === undefined ? [] : [text])) ?? [];
  const text = parts.join(' ').trim();
  if (text !== '') return text;
  const reason = output.stopReason ?? 'unknown';
  throw new Failure('SCENE_FAILED', `Bedrock model ${settings.modelId} answered without text (stop reason: ${reason})`);
}
