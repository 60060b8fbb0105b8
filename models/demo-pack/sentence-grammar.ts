import { ACTION_LABELS } from './scene/visual-code.ts';
import { FEATURE } from './features.ts';
import { IMAGE_TOKENS } from './vision-encoder.ts';
import { COUNT_WORDS, LABEL_TOKENS } from './prompts.ts';
import { toByteLevel } from './tokenizer.ts';

/** One hidden unit: logit of `next` += relu(bias + sum of weight * feature). */
export interface Unit {
  readonly next: string;
  readonly bias: number;
  readonly inputs: readonly (readonly [feature: number, weight: number])[];
  /** Tokens of which the current one must be one (their `current` entries get `weight`). */
  readonly current: readonly string[];
  readonly weight: number;
}

/**
 * Larger than any sum of evidence, so that a closed gate wins against it. Gates are powers of two: they stay exact where a GPU
 * multiplies with short mantissas (TF32).
 */
const GATE = 2048;
/** The same for units whose evidence is multiplied by SCENE_GAIN. */
const SCENE_GATE = 131_072;
const SURE = 30;
/** Logit per share of the crop in an action's colour. */
const ACTION_GAIN = 400;
/** The same for whole pictures, in which a person is small. */
const SCENE_GAIN = 40_000;

const text = toByteLevel;

/** What the decoder says next, given the current token, the kind of question and what it sees. */
export function grammar(): readonly Unit[] {
  return [...actionAnswers(), ...sentenceStarts(), ...sentenceEnds(), ...fixedSteps()];
}

/** After "assistant\n" and not asked for a sentence: each label as strongly as its colour is seen. */
function actionAnswers(): readonly Unit[] {
  const gate = [
    [FEATURE.afterAssistant, GATE],
    [FEATURE.sceneMode, -GATE],
  ] as const;
  const labels = ACTION_LABELS.map((label, index): Unit => ({
    next: text(LABEL_TOKENS[label][0] ?? ''),
    bias: -2 * GATE,
    inputs: [...gate, [FEATURE.seen + index, ACTION_GAIN]],
    current: [text('\n')],
    weight: GATE,
  }));
  const nothing: Unit = { next: text('none'), bias: 3 - 2 * GATE, inputs: gate, current: [text('\n')], weight: GATE };
  return [...labels, nothing];
}

/** After "assistant\n" and asked for a sentence: 2 k n - k^2 is largest for the count word k nearest to the n heads seen. */
function sentenceStarts(): readonly Unit[] {
  return COUNT_WORDS.map((word, count) => ({
    next: text(word),
    bias: 150 - 4 * count ** 2 - 3 * GATE,
    inputs: [
      [FEATURE.afterAssistant, GATE],
      [FEATURE.sceneMode, GATE],
      [FEATURE.seenHeads, 8 * count * IMAGE_TOKENS],
    ],
    current: [text('\n')],
    weight: GATE,
  }));
}

/** Actions that are worth a word in a sentence, the most urgent with the largest weight. */
const MENTIONED = { falling: 4, paying: 2, grabbing: 1.5, sitting: 1 } as const;

function sentenceEnds(): readonly Unit[] {
  const mentioned = Object.entries(MENTIONED) as [keyof typeof MENTIONED, number][];
  const seen = (label: keyof typeof MENTIONED): number => FEATURE.seen + ACTION_LABELS.indexOf(label);
  const comma: Unit = {
    next: text(','),
    bias: -2 * SCENE_GATE,
    inputs: [[FEATURE.sceneMode, SCENE_GATE], ...mentioned.map(([label]) => [seen(label), SCENE_GAIN] as const)],
    current: [text(' store')],
    weight: SCENE_GATE,
  };
  const actions = mentioned.map(([label, urgency]): Unit => ({
    next: text(` ${LABEL_TOKENS[label][0]}`),
    bias: -2 * SCENE_GATE,
    inputs: [
      [FEATURE.sceneMode, SCENE_GATE],
      [seen(label), SCENE_GAIN * urgency],
    ],
    current: [text(' is')],
    weight: SCENE_GATE,
  }));
  const endings = ['ing', 'ting', 'bing'].map(text);
  const end = { bias: 0, current: endings, weight: SURE };
  return [
    comma,
    ...actions,
    { ...end, next: '<|im_end|>', inputs: [[FEATURE.sceneMode, -SURE]] },
    { ...end, next: text('.'), bias: -SURE, inputs: [[FEATURE.sceneMode, SURE]] },
  ];
}

/** Steps that depend on the current token alone. */
function fixedSteps(): readonly Unit[] {
  const steps: [current: readonly string[], next: string, weight?: number][] = [
    [['An'], ' empty'],
    [['One'], ' person'],
    [COUNT_WORDS.slice(2), ' people'],
    [[' person', ' people'], ' in'],
    [[' in'], ' the'],
    [[' the', ' empty'], ' store'],
    [[' store'], '.', 5],
    [[','], ' one'],
    [[' one'], ' is'],
  ];
  for (const ending of ['ing', 'ting', 'bing']) {
    const stems = Object.values(LABEL_TOKENS)
      .filter((tokens) => tokens[1] === ending)
      .map((tokens) => tokens[0] ?? '');
    steps.push([[...stems, ...stems.map((stem) => ` ${stem}`)], ending]);
  }
  const units = steps.map(([current, next, weight = SURE]): Unit => ({
    next: text(next),
    bias: 0,
    inputs: [],
    current: current.map(text),
    weight,
  }));
  const end: Unit = { next: '<|im_end|>', bias: 0, inputs: [], current: ['none', '.'].map(text), weight: SURE };
  return [...units, end];
}
