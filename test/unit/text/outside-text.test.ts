import { describe, expect, test } from '@jest/globals';
import { bounded } from '../../../src/text/bounded.ts';
import { FIELD_LENGTH, outsideText } from '../../../src/text/outside-text.ts';
import { visible, visibleJson } from '../../../src/text/visible.ts';
import { atDepth } from '../../harness/depth.ts';
import { CARRIERS, FORMS, SECRETS } from './secret-corpus.ts';

/** From one place of the cut to the next; the length of the texts differs, and with it where the places lie in them. */
const STEP = atDepth(31, 13);

describe('outsideText', () => {
  test('leaves a short text, and says of a long one how long it was', () => {
    expect(outsideText('videos/a.mp4')).toBe('videos/a.mp4');
    expect(outsideText('x'.repeat(100_000))).toBe(`${'x'.repeat(FIELD_LENGTH)}... (100000 characters)`);
  });

  test('never shows a half of a secret that the cut falls into', () => {
    const shown: string[] = [];
    // A sixth of the secrets for each, in turn: which of them it is makes no difference to a cut.
    const carried = CARRIERS.flatMap(({ name, of, without }, number) =>
      SECRETS.filter((secret) => without?.test(secret) !== true)
        .filter((_, index) => index % 6 === number % 6)
        .map((secret) => ({ name, text: of(secret) })),
    );
    for (const { name, text } of [...carried, ...FORMS.map((secret) => ({ name: 'a form', text: secret }))]) {
      for (
        let before = FIELD_LENGTH - Math.min(text.length, FIELD_LENGTH - 20);
        before <= FIELD_LENGTH;
        before += STEP
      ) {
        const told = outsideText(`${'-'.repeat(before - 1)} ${text} ${'tail '.repeat(1_000)}`);
        if (/Z[qQ][789]/.test(told)) shown.push(`${name} at ${before}: ${told.slice(-120)}`);
      }
    }
    expect(shown).toEqual([]);
  }, 60_000);

  test('nor one that what was read ends in, when masks before it have brought it near', () => {
    const masks = 'password=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ';
    for (let before = 0; before < 120; before += 1) {
      const text = `${masks.repeat(48)}${'-'.repeat(before)} ghp_Zq7Zq8Zq9Zq7Zq8Zq9Zq7Zq8Zq9Zq7Zq8abc ${masks.repeat(48)}`;
      expect(outsideText(text, FIELD_LENGTH * 4)).not.toMatch(/Zq[789]/);
    }
  });
});

test('bounded cuts between characters, never into one', () => {
  expect(bounded('ab😀cd', 3)).toBe('ab... (6 characters)');
  expect(bounded('ab😀cd', 4)).toBe('ab😀... (6 characters)');
  expect(bounded('abc', 3)).toBe('abc');
  expect(bounded('', 0)).toBe('');
});

test('visible shows what steers a terminal, on one line', () => {
  const text = 'a\u001b[2Jb\r\nc\u009b31m\u202egpj\u2066\u200f\u007f\u0000é漢😀';
  expect(visible(text)).toBe('a\\u001b[2Jb\\u000d\\u000ac\\u009b31m\\u202egpj\\u2066\\u200f\\u007f\\u0000é漢😀');
  const json = JSON.stringify({ key: text });
  expect(JSON.parse(visibleJson(json))).toEqual({ key: text });
  // oxlint-disable-next-line no-control-regex
  expect(visibleJson(json)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e\u2066\u200f]/);
});
