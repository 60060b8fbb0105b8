import { createHash } from 'node:crypto';
import {
  officialModel,
  type ModelSpec,
  type PackManifest,
  type PreparedStage,
  type SingleStage,
} from './pack-manifest.ts';

/**
 * Hex sha256 of what a stage's prepared graph is made from, as the manifest says now: where it differs from the graph's `madeFrom`,
 * the graph answers for another model, other numbers of its preparation, another question or other labels.
 */
export function originOf(manifest: PackManifest, stage: PreparedStage): string {
  const parts = stage === 'action' ? actionParts(manifest) : singleParts(manifest, stage);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * Whether a prepared graph is made from what the manifest says now. Of a graph around one model earlier versions noted the model's file
 * alone: such a graph still counts as made from it, and of a number that was changed since, nothing can be seen.
 */
export function isMadeFrom(manifest: PackManifest, stage: PreparedStage, madeFrom: string): boolean {
  if (madeFrom === originOf(manifest, stage)) return true;
  return stage !== 'action' && madeFrom === officialModel(manifest, stage).model.file.sha256;
}

function singleParts(manifest: PackManifest, stage: SingleStage): object {
  const { adapter, model } = officialModel(manifest, stage);
  return { adapter, model: modelFiles(model), holds: HELD[stage](manifest) };
}

/** What each graph holds of the manifest besides the model; all the rest is read from the manifest at run time. */
const HELD: Readonly<Record<SingleStage, (manifest: PackManifest) => readonly unknown[]>> = {
  detection: ({ detection }) =>
    detection.adapter === 'detr' ? [detection.mean, detection.std] : [detection.classes.length],
  ageGender: ({ ageGender: { mean, std } }) => [mean, std],
  orientation: ({ orientation: { crop, mean, std, bins } }) => [crop, mean, std, bins],
  visionEncoder: ({ language }) => [language.imageSize],
};

function actionParts({ language, action }: PackManifest): object {
  const { visionEncoder, embedTokens, decoder, tokenizer, tokenizerConfig } = language;
  return {
    models: [visionEncoder, embedTokens, decoder].map(modelFiles),
    tokenizer: [tokenizer.sha256, tokenizerConfig.sha256],
    picture: [language.imageSize, language.imageTokens, language.imageTokenId],
    prompt: [language.template, language.system, action.question],
    answers: [action.labels, action.normalisation ?? 'sum'],
  };
}

function modelFiles({ file, externalData = [] }: ModelSpec): readonly string[] {
  return [file, ...externalData].map(({ sha256 }) => sha256);
}
