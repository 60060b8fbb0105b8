import { scrub } from '../../../src/text/scrub.ts';
import { CARRIERS, ESCAPINGS, SECRETS } from '../../unit/text/secret-corpus.ts';
import { must, type Target } from '../engine/target.ts';

/** Of the secrets that are planted. */
const PARTS = /Zq[789]|ZQ[789]/;
const HEADER_BYTES = 3;

/**
 * A text with a secret on a line of its own in its middle. Three bytes say what carries the secret, which one it is, and how both are
 * escaped; the rest is what an attacker may write before and behind it.
 */
export const target: Target = {
  covers: [
    'text/scrub.ts',
    'text/reading.ts',
    'text/span.ts',
    'text/assigned-secrets.ts',
    'text/url-secrets.ts',
    'text/secret-forms.ts',
    'text/secret-names.ts',
    'text/separator.ts',
    'text/value-ends.ts',
    'text/quoted.ts',
    'text/characters.ts',
  ],
  maxBytes: 1 << 18,
  form: 'text',
  words: [
    'password=',
    'password: ',
    '"password":"',
    "'token': '",
    'secret="',
    'Authorization: Bearer ',
    'Cookie: ',
    '://',
    'postgres://u:',
    '@',
    '***',
    '\\"',
    '\\\\',
    '\\n',
    '%22',
    '%3D',
    '%2525',
    '&quot;',
    '&lt;',
    '=',
    ';Pwd={',
    '}}',
    '["',
    'X-Amz-Signature=',
    '-----BEGIN PRIVATE KEY-----',
    '-----END',
    'AKIA',
    'eyJ',
    'ghp_',
    '--password ',
    '<token>',
    '</token>',
  ],
  // Each check scrubs four times; half a second for a MiB is what a slow core takes to read one.
  allowance: { fixedMs: 40, msPerKib: 2 },
  check: (input) => {
    const text = input.subarray(HEADER_BYTES).toString();
    const once = scrub(text);
    must(isOnlyMasked(scrub(once), once), 'what was scrubbed is shown again, or told in other words');
    if (PARTS.test(text)) return;
    const middle = Math.floor(text.length / 2);
    const whole = `${text.slice(0, middle)}\n${planted(input)}\n${text.slice(middle)}`;
    const clean = scrub(whole);
    must(!PARTS.test(clean), 'a planted secret is shown');
    must(isOnlyMasked(clean, whole), 'a text is told in other words');
  },
};

/** Whether a text is another one of which parts are masked. */
function isOnlyMasked(clean: string, text: string): boolean {
  let from = 0;
  for (const part of clean.split('***')) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return true;
}

function planted([carrierByte = 0, secretByte = 0, escapingByte = 0]: Buffer): string {
  const carrier = CARRIERS[carrierByte % CARRIERS.length];
  const escaping = ESCAPINGS[escapingByte % ESCAPINGS.length];
  const fitting = SECRETS.filter((secret) => carrier?.without?.test(secret) !== true);
  const secret = fitting[secretByte % fitting.length];
  if (carrier === undefined || escaping === undefined || secret === undefined) throw new Error('nothing to plant');
  return escaping.of(carrier.of(secret));
}
