import { createHash } from 'node:crypto';
import { officialModel, type ModelSpec, type PackManifest, type PreparedStage } from './pack-manifest.ts';

/**
 * Hex sha256 of what a stage's prepared graph is made from, as the manifest says now: where it differs from the graph's `madeFrom`,
 * the graph answers for another model, another question or other labels.
 */
export function originOf(manifest: PackManifest, stage: PreparedStage): string {
  if (stage !== 'action') return officialModel(manifest, stage).model.file.sha256;
  const { language, action } = manifest;
  const { visionEncoder, embedTokens, decoder, tokenizer, tokenizerConfig } = language;
  const parts = {
    models: [visionEncoder, embedTokens, decoder].map(modelFiles),
    tokenizer: [tokenizer.sha256, tokenizerConfig.sha256],
    picture: [language.imageSize, language.imageTokens, language.imageTokenId],
    prompt: [language.template, language.system, action.question],
    answers: [action.labels, action.normalisation ?? 'sum'],
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function modelFiles({ file, externalData = [] }: ModelSpec): readonly string[] {
  return [file, ...externalData].map(({ sha256 }) => sha256);
}
