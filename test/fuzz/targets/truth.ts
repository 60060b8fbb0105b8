import { evaluate } from '../../../src/evaluation/evaluate.ts';
import { parseTruth } from '../../../src/evaluation/truth.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const ANALYSIS = sampleAnalysis();

/** What is said to be really in a video. */
export const target: Target = {
  covers: ['truth.ts', 'evaluate.ts', 'match-frame.ts', 'event-score.ts', 'identities.ts', 'reading-score.ts'],
  maxBytes: 1 << 17,
  form: 'json',
  words: ['persons', 'id', 'p1', 'frames', 'events', 'action', 'walking', 'grabbing', 'none', 'visible', 'face', 'box'],
  allowance: { fixedMs: 60, msPerKib: 3 },
  check: (input) => {
    const truth = resultOf(() => parseTruth(input.toString(), 'truth.json'));
    if (truth instanceof Failure) {
      must(truth.code === 'CONFIG_INVALID' && truth.message.includes('truth.json'), `refused with ${truth.code}`);
      return;
    }
    checkShares(evaluate(ANALYSIS, truth));
  },
};

/** Every number of an evaluation is one, and no share is more than all. */
function checkShares(value: unknown, path = 'evaluation'): void {
  if (typeof value === 'number') {
    must(Number.isFinite(value), `${path} is ${value}`);
    if (/(?:recall|precision|f1|share|accuracy)$/i.test(path)) must(value >= 0 && value <= 1, `${path} is ${value}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) checkShares(inner, `${path}.${name}`);
  }
}
