import { isAlphanumericAt, isAt, isBlankAt, runEnd, table } from './characters.ts';
import type { Reading } from './reading.ts';
import type { Span } from './span.ts';

const TOKEN = table(/[A-Za-z0-9_-]/);
const DOTTED = table(/[A-Za-z0-9_.-]/);
const BASE64 = table(/[A-Za-z0-9/+=]/);
const BEARER = table(/[A-Za-z0-9._~+/=:-]/);
const UPPER = table(/[A-Z0-9]/);
const HEX = table(/[a-f0-9]/);
const SECRET_KEY = table(/[A-Za-z0-9/+]/);

interface Form {
  readonly begins: string;
  readonly of: Uint8Array;
  /** Shortest whole, beginning included. */
  readonly least: number;
  readonly most?: number;
}

const form = (begins: string, of: Uint8Array, least: number, most?: number): Form =>
  most === undefined ? { begins, of, least } : { begins, of, least, most };

/** What is known by its beginning, wherever it stands. */
const FORMS: readonly Form[] = [
  ...['AKIA', 'ASIA', 'ABIA', 'ACCA'].map((begins) => form(begins, UPPER, 20, 128)),
  form('eyJ', DOTTED, 16),
  // Session tokens of the AWS.
  ...['IQoJb3JpZ2lu', 'FwoGZXIvYXdz', 'FQoGZXIvYXdz', 'AQoDYXdz', 'AQoEXAMPLE'].map((begins) =>
    form(begins, BASE64, 24),
  ),
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((begins) => form(begins, TOKEN, 20)),
  form('github_pat_', TOKEN, 24),
  form('glpat-', TOKEN, 16),
  ...['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xapp-'].map((begins) => form(begins, TOKEN, 14)),
  ...['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'].map((begins) => form(begins, TOKEN, 16)),
  form('sk-', TOKEN, 24),
  // Keys of Bedrock, for long and for short.
  ...['ABSK', 'bedrock-api-key-'].map((begins) => form(begins, BASE64, 40)),
  ...['glrt-', 'gldt-', 'glptt-', 'glcbt-'].map((begins) => form(begins, TOKEN, 20)),
  ...['shpat_', 'shpca_', 'shppa_', 'shpss_', 'lin_api_', 'NRAK-', 'sq0atp-', 'sq0csp-', 'ATATT3'].map((begins) =>
    form(begins, TOKEN, 28),
  ),
  form('dapi', HEX, 36),
  form('AIza', TOKEN, 35),
  form('ya29.', DOTTED, 24),
  form('hf_', TOKEN, 24),
  form('npm_', TOKEN, 30),
  form('pypi-', TOKEN, 40),
  form('dop_v1_', TOKEN, 30),
  form('SG.', DOTTED, 30),
  ...['hvs.', 'hvb.', 'hvr.', 'dp.pt.'].map((begins) => form(begins, DOTTED, 24)),
  form('AGE-SECRET-KEY-1', UPPER, 40),
];

const BY_FIRST: ReadonlyMap<number, readonly Form[]> = Map.groupBy(FORMS, ({ begins }) => begins.charCodeAt(0));
const SCHEMES = ['bearer', 'basic', 'token', 'apikey', 'digest'];
const SECRET_KEY_LENGTH = 40;

/** Secrets that are known by their form alone: tokens of well-known services, JWTs, keys of the AWS, what follows `Bearer`, private keys. */
export function secretForms(reading: Reading): readonly Span[] {
  return [...tokens(reading), ...awsSecretKeys(reading), ...privateKeys(reading)];
}

function tokens({ text }: Reading): readonly Span[] {
  const spans: Span[] = [];
  for (let index = 0; index < text.length; index += 1) {
    if (isAlphanumericAt(text, index - 1) && !isAt(UPPER, text, index)) continue;
    const end = formEnd(text, index) ?? null;
    if (end !== null) {
      spans.push({ start: index, end });
      index = end - 1;
      continue;
    }
    const behind = behindScheme(text, index);
    if (behind === null) continue;
    spans.push(behind);
    index = behind.end - 1;
  }
  return spans;
}

function formEnd(text: string, index: number): number | null {
  const forms = BY_FIRST.get(text.charCodeAt(index));
  if (forms === undefined) return null;
  for (const { begins, of, least, most } of forms) {
    if (!text.startsWith(begins, index)) continue;
    // In front of the key ids of the AWS anything may stand, but for what would make them longer.
    if (isAlphanumericAt(text, index - 1) && (of !== UPPER || isAt(UPPER, text, index - 1))) continue;
    const end = runEnd(of, text, index + begins.length, most);
    if (end - index >= least) return end;
  }
  return null;
}

/** What follows `Bearer` or `Basic` where it does not look like a word of a sentence. */
function behindScheme(text: string, index: number): Span | null {
  const first = text.charCodeAt(index) | 32;
  if (!SCHEMES.some((scheme) => scheme.charCodeAt(0) === first)) return null;
  const word = text.slice(index, index + 6).toLowerCase();
  const scheme = SCHEMES.find((name) => word.startsWith(name));
  if (scheme === undefined || text[index + scheme.length] !== ' ') return null;
  const start = index + scheme.length + 1;
  const end = runEnd(BEARER, text, start);
  return end - start >= 8 && /[0-9A-Z]/.test(text.slice(start + 1, start + 200)) && !isSentence(text, start, end)
    ? { start, end }
    : null;
}

function isSentence(text: string, start: number, end: number): boolean {
  return !/[0-9A-Z=]/.test(text.slice(start + 1, Math.min(end, start + 200)));
}

/** Forty characters of base64 that change between cases and digits too often for a path or a name. */
function awsSecretKeys({ text }: Reading): readonly Span[] {
  const spans: Span[] = [];
  for (let index = 0; index < text.length;) {
    const end = runEnd(SECRET_KEY, text, index);
    if (end - index === SECRET_KEY_LENGTH && text[end] !== '=' && isMixed(text.slice(index, end))) {
      spans.push({ start: index, end });
    }
    index = end + 1;
  }
  return spans;
}

function isMixed(text: string): boolean {
  if (!/[a-z]/.test(text) || !/[A-Z]/.test(text) || !/\d/.test(text)) return false;
  let changes = 0;
  for (let index = 1; index < text.length; index += 1) {
    if (classOf(text.charCodeAt(index)) !== classOf(text.charCodeAt(index - 1))) changes += 1;
  }
  return changes >= 14;
}

function classOf(code: number): number {
  if (code >= 97) return 0;
  if (code >= 65) return 1;
  return code >= 48 && code <= 57 ? 2 : 3;
}

const BEGIN = '-----BEGIN';
const END = '-----END';
const LONGEST_LABEL = 64;

/** From the line behind the label of a private key to its end; to the end of the text where that was cut off. */
function privateKeys({ text }: Reading): readonly Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf(BEGIN); at !== -1;) {
    const label = text.slice(at + BEGIN.length, at + BEGIN.length + LONGEST_LABEL);
    const close = label.indexOf('-----');
    if (close === -1 || !/PRIVATE|SECRET/.test(label.slice(0, close))) {
      at = text.indexOf(BEGIN, at + BEGIN.length);
      continue;
    }
    let start = at + BEGIN.length + close + 5;
    while (start < text.length && isBlankAt(text, start)) start += 1;
    const ending = text.indexOf(END, start);
    let end = ending === -1 ? text.length : ending;
    while (end > start && isBlankAt(text, end - 1)) end -= 1;
    if (text.slice(start, Math.min(end, start + 4)) !== '***') spans.push({ start, end });
    at = ending === -1 ? -1 : text.indexOf(BEGIN, ending);
  }
  return spans;
}
