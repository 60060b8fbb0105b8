import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { Failure } from '../../failure/failure.ts';
import { rethrowHostFault } from '../../failure/host-fault.ts';
import type { Pack } from '../../packs/load-pack.ts';

/** Token ids on both sides of the image. */
export interface Prompt {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

type Language = Pack['manifest']['language'];

/** Text to token ids and back; no special tokens are added or kept. */
export interface TextTokenizer {
  readonly encode: (text: string) => readonly number[];
  readonly decode: (ids: readonly number[]) => string;
}

interface LoadedTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean }): string;
}

/** Reads the pack's tokenizer; throws PACK_BROKEN where its files are not one. */
export async function loadTokenizer(pack: Pack): Promise<TextTokenizer> {
  const { tokenizer, tokenizerConfig } = pack.manifest.language;
  try {
    const [model, config] = await Promise.all(
      [tokenizer, tokenizerConfig].map(
        async (file) => JSON.parse(await readFile(pack.filePath(file), 'utf8')) as object,
      ),
    );
    // The package's declarations do not resolve under Node's module rules: its two calls are declared here.
    const loaded = new Tokenizer(model ?? {}, config ?? {}) as unknown as LoadedTokenizer;
    return {
      encode: (text) => loaded.encode(text, { add_special_tokens: false }).ids,
      decode: (ids) => loaded.decode([...ids], { skip_special_tokens: true }),
    };
  } catch (cause) {
    rethrowHostFault(cause);
    throw new Failure('PACK_BROKEN', `${tokenizer.path} and ${tokenizerConfig.path} are not a tokenizer`, { cause });
  }
}

/**
 * The chat prompt for a question, split at its image token, where the image's features stand instead of embeddings.
 * A model's own tokenizer never sees the expanded image token, so both sides are what the whole text gives.
 */
export function buildPrompt(tokenizer: TextTokenizer, language: Language, question: string): Prompt {
  // Replaced by functions: a question may hold `$&`.
  const text = language.template.replace('{system}', () => language.system).replace('{question}', () => question);
  const ids = tokenizer.encode(text);
  const at = ids.indexOf(language.imageTokenId);
  if (at < 0 || ids.includes(language.imageTokenId, at + 1)) {
    const found = ids.filter((id) => id === language.imageTokenId).length;
    throw new Failure(
      'PACK_BROKEN',
      `the prompt has ${found} image tokens (id ${language.imageTokenId}), expected exactly one: check template, question and tokenizer of the pack`,
    );
  }
  return { before: ids.slice(0, at), after: ids.slice(at + 1) };
}
