/**
 * A byte-level BPE tokenizer in the layout of Qwen2's tokenizer.json: the same normalisation and split expression, and a small
 * vocabulary in which every listed word is one token.
 */
export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
}

export const SPECIAL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<image>'] as const;

/** Qwen2's split expression, as tokenizer.json states it. */
const SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/**
 * Learns merges so that each word (as byte-level text, see `toByteLevel`) becomes one token. A word is first split by the merges
 * known so far and its pieces are then joined from the left, so a later word never changes how an earlier one is split.
 */
export function buildVocabulary(words: readonly string[]): Vocabulary {
  const merges: (readonly [string, string])[] = [];
  const ids = new Map<string, number>();
  for (const symbol of byteSymbols()) ids.set(symbol, ids.size);
  for (const word of words) {
    const pieces = splitByMerges(word, merges);
    let joined = pieces[0] ?? '';
    for (const piece of pieces.slice(1)) {
      merges.push([joined, piece]);
      joined += piece;
      if (!ids.has(joined)) ids.set(joined, ids.size);
    }
  }
  for (const special of SPECIAL_TOKENS) ids.set(special, ids.size);
  return { ids, merges };
}

/** The words of a text as the tokenizer splits them, in byte-level form. */
export function wordsOf(text: string): readonly string[] {
  const expression = new RegExp(SPLIT.replace('(?i:', '(?:'), 'gu');
  return [...text.normalize('NFC').matchAll(expression)].map((match) => toByteLevel(match[0]));
}

/** Writes every byte of the text as one printable character, as GPT-2's byte-level BPE does. */
export function toByteLevel(text: string): string {
  const symbols = byteSymbols();
  return [...new TextEncoder().encode(text)].map((byte) => symbols[byte] ?? '').join('');
}

export function tokenizerJson(vocabulary: Vocabulary): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content) => ({ id: idOf(vocabulary, content), content, ...SPECIAL_FLAGS })),
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: SPLIT }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(
        [...vocabulary.ids].filter(([token]) => !(SPECIAL_TOKENS as readonly string[]).includes(token)),
      ),
      merges: vocabulary.merges,
    },
  };
}

export function tokenizerConfigJson(vocabulary: Vocabulary): object {
  return {
    tokenizer_class: 'Qwen2Tokenizer',
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    model_max_length: 2048,
    bos_token: null,
    eos_token: '<|im_end|>',
    pad_token: '<|endoftext|>',
    unk_token: null,
    errors: 'replace',
    split_special_tokens: false,
    added_tokens_decoder: Object.fromEntries(
      SPECIAL_TOKENS.map((content) => [idOf(vocabulary, content), { content, ...SPECIAL_FLAGS }]),
    ),
  };
}

/** The id of a token that must exist. */
export function idOf(vocabulary: Vocabulary, token: string): number {
  const id = vocabulary.ids.get(token);
  if (id === undefined) throw new Error(`the vocabulary has no token ${JSON.stringify(token)}`);
  return id;
}

const SPECIAL_FLAGS = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** Applies the merges as BPE does: the earliest known pair first, until none is left. */
function splitByMerges(word: string, merges: readonly (readonly [string, string])[]): string[] {
  const pieces = Array.from(word);
  for (const [left, right] of merges) {
    for (let index = 0; index + 1 < pieces.length; index++) {
      if (pieces[index] === left && pieces[index + 1] === right) pieces.splice(index, 2, left + right);
    }
  }
  return pieces;
}

/** The character for each byte: itself where it is printable, otherwise one from U+0100 on. */
function byteSymbols(): readonly string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}
