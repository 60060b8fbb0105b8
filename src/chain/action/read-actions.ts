import { Failure } from '../../failure/failure.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { softmax } from '../../vision/softmax.ts';
import { answerText, generate } from '../fastvlm/generate.ts';
import type { LanguageModel } from '../fastvlm/language-model.ts';
import { warmSizes, type LanguageOptions, type Reading } from '../language-stage.ts';
import type { ActionReading } from '../model-chain.ts';
import { actionReading } from './action-reading.ts';
import { labelTrie } from './label-trie.ts';
import { labelScorer } from './score-labels.ts';

/** The vision-language model step by step: picture, prompt, label paths. Persons cut from their frames, one reading each. */
export async function openActions(
  pack: Pack,
  { padTo, meter, visionLanguage }: Pick<LanguageOptions, 'padTo' | 'meter' | 'visionLanguage'>,
): Promise<Reading<ActionReading>> {
  const { action } = pack.manifest;
  const { model, prepare } = await visionLanguage();
  const trie = labelTrie(labelTokens(model, action.labels));
  const start = await prepare(action.question, { padTo, meter });
  const scoring = { padding: padTo.length > 0, normalisation: action.normalisation ?? 'sum' };
  const score = await labelScorer(model, trie, scoring, meter);
  const read: Reading<ActionReading>['read'] = async (crops) => {
    const step = await start(crops, meter);
    const scores = await score(step, meter);
    const readings = scores.map((labelScores) => reading(model, action.labels, labelScores));
    if (action.mode === 'score') return readings;
    // The reference mode: the label is what the model says; only an answer outside the vocabulary is left to the scores.
    const answers = await generate(model, step, action.maxNewTokens, meter);
    return readings.map((scored, i) => {
      const said = labelInText(action.labels, answerText(model, answers[i] ?? []));
      if (said === null) return scored;
      const probability = softmax(scored.labelScores)[action.labels.indexOf(said)];
      return { label: said, score: probability ?? scored.score, labelScores: scored.labelScores };
    });
  };
  return { read, warm: (before) => warmSizes(read, padTo, before) };
}

/** Throws PACK_BROKEN for a label without a token, and for two that are written apart but are the same to the model. */
export function labelTokens(lm: LanguageModel, labels: readonly string[]): readonly (readonly number[])[] {
  const { path } = lm.language.tokenizer;
  const known = new Map<string, string>();
  return labels.map((label) => {
    const ids = lm.tokenizer.encode(label);
    if (ids.length === 0) {
      throw new Failure('PACK_BROKEN', `${path}: action.labels: expected tokens for "${label}", found none`);
    }
    const twin = known.get(ids.join());
    if (twin !== undefined) {
      throw new Failure(
        'PACK_BROKEN',
        `${path}: action.labels: expected other tokens for "${label}" than for "${twin}", found ${ids.join(', ')} for both`,
      );
    }
    known.set(ids.join(), label);
    return ids;
  });
}

function reading(lm: LanguageModel, labels: readonly string[], labelScores: readonly number[]): ActionReading {
  if (!labelScores.every(Number.isFinite)) {
    throw new Failure(
      'INFERENCE_FAILED',
      `${lm.decoder.spec.file.path} output logits gives the label scores ${labelScores.join(', ')}; expected finite numbers`,
    );
  }
  return actionReading(labels, labelScores);
}

/** The label that a free answer names: equal without case and punctuation, else the first that occurs in it as a word. */
export function labelInText(labels: readonly string[], text: string): string | null {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_-]+/gu) ?? [];
  const plain = words.join(' ');
  return (
    labels.find((label) => label.toLowerCase() === plain) ??
    labels
      .map((label) => ({ label, at: ` ${plain} `.indexOf(` ${label.toLowerCase()} `) }))
      .filter(({ at }) => at >= 0)
      .toSorted((a, b) => a.at - b.at)[0]?.label ??
    null
  );
}
