import { Failure } from '../../failure/failure.ts';
import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import type { ExecutionTarget } from '../../inference/providers.ts';
import type { StageMeter } from '../../inference/stage-meter.ts';
import { softmax } from '../../vision/softmax.ts';
import type { Picture } from '../../vision/picture.ts';
import type { ActionReading } from '../model-chain.ts';
import type { DecoderStep } from '../fastvlm/decoder.ts';
import { answerText, generate } from '../fastvlm/generate.ts';
import { labelTrie } from './label-trie.ts';
import type { LabelTrie } from './label-trie.ts';
import { pictureEncoder } from '../fastvlm/encode-pictures.ts';
import { openLanguageModel, prefill, preparePrompt } from '../fastvlm/language-model.ts';
import type { LanguageModel, PreparedPrompt } from '../fastvlm/language-model.ts';
import { buildPrompt } from '../fastvlm/prompt.ts';
import { scoreLabels } from './score-labels.ts';

/** The vision-language model as the chain uses it: pictures in, labels or sentences out. */
export interface FastVlm {
  /** Persons cut from their frames; one reading each. */
  readonly readActions: (crops: readonly Picture[]) => Promise<readonly ActionReading[]>;
  /** Whole frames; throws SCENE_FAILED where the pack has no scene prompt. */
  readonly describe: (frames: readonly Picture[]) => Promise<readonly string[]>;
  readonly release: () => Promise<void>;
}

export interface FastVlmOptions {
  readonly target: ExecutionTarget;
  /** Sizes to fill the vision encoder's batches up to, so that no other is planned; empty: as many rows as pictures. */
  readonly padTo: readonly number[];
  readonly action: StageMeter;
  readonly scene: StageMeter;
}

/** Opens the pack's language model and runs what every picture of a prompt shares. */
export async function openFastVlm(pack: Pack, options: FastVlmOptions): Promise<FastVlm> {
  const lm = await openLanguageModel(pack, options.target);
  const { action, scene } = pack.manifest;
  const trie = labelTrie(labelTokens(lm, action.labels));
  const encode = pictureEncoder(lm);
  const start = async (
    prompt: PreparedPrompt,
    pictures: readonly Picture[],
    meter: StageMeter,
  ): Promise<DecoderStep> => {
    const rows = paddedCount(pictures.length, options.padTo);
    const features = await encode(pictures, rows, meter);
    // The decoder has no convolutions and copies its cache at every step: it gets no row that nobody reads.
    const used = features.subarray(0, (features.length / rows) * pictures.length);
    return prefill(lm, prompt, used, pictures.length, meter);
  };
  const prepare = (question: string, meter: StageMeter): Promise<PreparedPrompt> =>
    preparePrompt(lm, buildPrompt(lm.tokenizer, lm.language, question), meter);
  const actionPrompt = await prepare(action.question, options.action);
  const scenePrompt = scene === null ? null : await prepare(scene.question, options.scene);

  return {
    readActions: async (crops) => {
      const step = await start(actionPrompt, crops, options.action);
      return readActions(lm, { action, trie, step }, options);
    },
    describe: async (frames) => {
      if (scene === null || scenePrompt === null) {
        throw new Failure('SCENE_FAILED', `the model pack ${pack.manifest.name} has no scene prompt`);
      }
      const step = await start(scenePrompt, frames, options.scene);
      const answers = await generate(lm, step, scene.maxNewTokens, options.scene);
      return answers.map((ids) => answerText(lm, ids));
    },
    release: lm.release,
  };
}

interface ActionStage {
  readonly action: Pack['manifest']['action'];
  readonly trie: LabelTrie;
  /** The prefill, a row for every crop. */
  readonly step: DecoderStep;
}

async function readActions(
  lm: LanguageModel,
  stage: ActionStage,
  options: FastVlmOptions,
): Promise<readonly ActionReading[]> {
  const { action, trie, step } = stage;
  const meter = options.action;
  const scoring = { padding: options.padTo.length > 0, normalisation: action.normalisation ?? 'sum' };
  const scores = await scoreLabels(lm, trie, step, scoring, meter);
  const readings = scores.map((labelScores) => reading(lm, action.labels, labelScores));
  if (action.mode === 'score') return readings;
  // The reference mode: the label is what the model says; only an answer outside the vocabulary is left to the scores.
  const answers = await generate(lm, step, action.maxNewTokens, meter);
  return readings.map((scored, i) => {
    const said = labelInText(action.labels, answerText(lm, answers[i] ?? []));
    if (said === null) return scored;
    const probability = softmax(scored.labelScores)[action.labels.indexOf(said)];
    return { label: said, score: probability ?? scored.score, labelScores: scored.labelScores };
  });
}

/** Throws PACK_BROKEN for a label without a token, and for two that are written apart but are the same to the model. */
function labelTokens(lm: LanguageModel, labels: readonly string[]): readonly (readonly number[])[] {
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
  const probabilities = [...softmax(labelScores)];
  const best = probabilities.indexOf(Math.max(...probabilities));
  return { label: labels[best] ?? '', score: probabilities[best] ?? 0, labelScores };
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
