import { ACTION_LABELS } from './scene/visual-code.ts';
import { buildVocabulary, toByteLevel, type Vocabulary, wordsOf } from './tokenizer.ts';

export const TEMPLATE =
  '<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n<image>\n{question}<|im_end|>\n<|im_start|>assistant\n';
export const SYSTEM = 'You watch a store camera.';

export const ACTION_QUESTION =
  'What is the person in the middle doing? Answer with one of these words: ' +
  'sitting (resting on a seat), falling (going down or lying on the floor), grabbing (taking a thing from a shelf), ' +
  'paying (giving money at the counter), standing (upright in one place), walking (moving on foot), ' +
  'none (something else).';

/** The word that tells a scene question from an action question; see the first layer of the decoder. */
export const SCENE_WORD = 'Describe';
export const SCENE_QUESTION = `${SCENE_WORD} the picture in one sentence.`;

/**
 * Labels as tokens: those that end in "ing" have two, so that an answer takes more than one step. The same stems after a space
 * are used in sentences.
 */
export const LABEL_TOKENS: Readonly<Record<(typeof ACTION_LABELS)[number], readonly string[]>> = {
  sitting: ['sit', 'ting'],
  falling: ['fall', 'ing'],
  grabbing: ['grab', 'bing'],
  paying: ['pay', 'ing'],
  standing: ['stand', 'ing'],
  walking: ['walk', 'ing'],
  none: ['none'],
};

/** How a sentence begins for 0, 1, 2, 3, 4 and more people. */
export const COUNT_WORDS = ['An', 'One', 'Two', 'Three', 'Four', 'Several'] as const;

const ENDINGS = ['ing', 'ting', 'bing'];
const STEMS = Object.values(LABEL_TOKENS).map((tokens) => tokens[0] ?? '');
export const SENTENCE_WORDS = [' empty', ' person', ' people', ' in', ' the', ' store', ' one', ' is', '.', ','];

/** Every token that the decoder reads or writes comes first; then the words of the prompts, so that prompts are short. */
export function demoVocabulary(): Vocabulary {
  const stems = [...STEMS, ...STEMS.map((stem) => ` ${stem}`)];
  const own = [...ENDINGS, ...stems, ...COUNT_WORDS, ...SENTENCE_WORDS, SCENE_WORD, 'assistant'];
  const inTwo = new Set(ACTION_LABELS.flatMap((label) => [label, ` ${label}`]).filter((label) => label !== 'none'));
  const texts = [SYSTEM, ACTION_QUESTION, SCENE_QUESTION, 'system', 'user', 'assistant'];
  const prompt = texts.flatMap(wordsOf).filter((word) => ![...inTwo].some((label) => toByteLevel(label) === word));
  return buildVocabulary([...own.map(toByteLevel), ...prompt]);
}
