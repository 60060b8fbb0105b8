import { Failure } from '../../failure/failure.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import { argmax } from '../../vision/softmax.ts';
import { logitsAt, runDecoder } from './decoder.ts';
import type { DecoderStep } from './decoder.ts';
import { embed } from './language-model.ts';
import type { LanguageModel } from './language-model.ts';

/**
 * Greedy answers after a prefill: per row the ids up to and with the first stop token, at most `maxNewTokens`. Rows that are done
 * go on with their stop token until the last one is, which keeps the batch's shape.
 */
export async function generate(
  lm: LanguageModel,
  start: DecoderStep,
  maxNewTokens: number,
  meter: StageMeter,
): Promise<readonly (readonly number[])[]> {
  const stop = new Set(lm.language.stopTokenIds);
  const answers: number[][] = Array.from({ length: start.cache.rows }, () => []);
  const done = (row: number): boolean => stop.has(answers[row]?.at(-1) ?? -1);
  let step = start;
  for (let i = 0; i < maxNewTokens; i++) {
    const next = answers.map((answer, row) => {
      if (!done(row)) answer.push(bestToken(lm, logitsAt(step, row, 1)));
      return answer.at(-1) ?? 0;
    });
    if (i + 1 === maxNewTokens || answers.every((_, row) => done(row))) break;
    const embeds = await embed(lm, next, meter);
    step = await runDecoder(lm.decoder, lm.language.kv, { embeds, length: 1, cache: step.cache, keep: 1 }, meter);
  }
  return answers;
}

/** The answer as text, without special tokens. */
export function answerText(lm: LanguageModel, ids: readonly number[]): string {
  const stop = new Set(lm.language.stopTokenIds);
  const words = ids.filter((id) => !stop.has(id));
  return words.length === 0 ? '' : lm.tokenizer.decode(words).trim();
}

/** The likeliest token; a decoder that gives no number must not become an answer. Minus infinity rules a token out. */
function bestToken(lm: LanguageModel, logits: Float32Array): number {
  const broken = logits.find((value) => Number.isNaN(value) || value === Infinity);
  const best = argmax(logits);
  if (broken === undefined && Number.isFinite(logits[best])) return best;
  const found = broken ?? logits[best];
  throw new Failure(
    'INFERENCE_FAILED',
    `${lm.decoder.spec.file.path} output logits has the value ${found}; expected finite numbers`,
  );
}
