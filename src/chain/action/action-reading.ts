import { softmax } from '../../vision/softmax.ts';
import type { ActionReading } from '../model-chain.ts';

/** The likeliest label of label scores (log-probabilities, finite, in the order of the labels). */
export function actionReading(labels: readonly string[], labelScores: readonly number[]): ActionReading {
  const probabilities = [...softmax(labelScores)];
  const best = probabilities.indexOf(Math.max(...probabilities));
  return { label: labels[best] ?? '', score: probabilities[best] ?? 0, labelScores };
}
