import { expect, test } from '@jest/globals';
import { labelInText } from '../../../src/chain/action/read-actions.ts';

const labels = ['sitting', 'standing', 'none'];

test.each([
  ['sitting', 'sitting'],
  ['Standing.', 'standing'],
  ['The person is standing, not sitting.', 'standing'],
  ['None of these', 'none'],
  ['outstanding', null],
  ['', null],
])('"%s" names %s', (text, label) => expect(labelInText(labels, text)).toBe(label));
