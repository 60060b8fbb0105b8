import { Failure } from '../../failure/failure.ts';
import { languageStage } from '../language-stage.ts';
import { openDescribe } from './describe.ts';

/** Describes a whole frame in a sentence or two. */
export const scene = languageStage({
  open: openDescribe,
  boxes: ({ width, height }) => [{ x1: 0, y1: 0, x2: width, y2: height }],
  answer: ([text]: readonly string[]) => {
    if (text !== undefined && text !== '') return text;
    throw new Failure('SCENE_FAILED', 'the language model ended its description before the first word');
  },
});
