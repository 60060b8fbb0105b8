/**
 * What the name before a value says of it: `value`: it is a secret. `assigned`: it is one where it was assigned (`=`, or a quoted name), while
 * before a colon the same word may begin a sentence. `header`: a secret up to the end of the line. Null: none.
 */
export type SecretName = 'value' | 'assigned' | 'header';

/** As many characters before the end of a name as its meaning may take. */
export const LONGEST_NAME = 64;

const HEADERS: readonly string[] = ['authorization', 'cookie', 'cookies'];
/** With or without anything before them. */
const VALUES: readonly string[] = [
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'passwort',
  'pwd',
  'secret',
  'token',
  'apikey',
  'accesskey',
  'secretkey',
  'privatekey',
  'accountkey',
  'authkey',
  'masterkey',
  'sharedkey',
  'signingkey',
  'encryptionkey',
  'licensekey',
  'webhook',
  'webhookurl',
];
const PHRASES: readonly string[] = VALUES.filter((value) => value.includes('key'));
const ASSIGNED: readonly string[] = [
  'credential',
  'credentials',
  'signature',
  'assertion',
  'sessionid',
  'accesskeyid',
  'jsessionid',
  'phpsessid',
  'accesssignature',
  'signatureprovided',
];
/** As the last word of a name, and only so: `compass` and `design` end in two of them. */
const WORDS: ReadonlyMap<string, SecretName> = new Map([
  ['pass', 'value'],
  ['pw', 'value'],
  ['auth', 'assigned'],
  ['sig', 'assigned'],
]);
/** Words before `key` that make it the name of a thing, and no secret. */
const THINGS: ReadonlySet<string> = new Set(
  (
    's3 object objects highlight highlights bucket video image file source target destination prefix public primary foreign unique ' +
    'partition sort range hash cache message group deduplication idempotency row map index routing storage entity lookup ssl host ' +
    'upload download report identity id token constraint the a an no of duplicate item field property dict json record request job ref this head'
  ).split(' '),
);
/** Words behind the one that counts. */
const TAILS: ReadonlySet<string> = new Set(
  'value base text string plain raw old new current previous b64 base64 hex default'.split(' '),
);
/** Words that make a name that of an error, such as `ExpiredToken`: what follows its colon is a sentence. */
const COMPLAINTS: ReadonlySet<string> = new Set(
  'invalid expired missing unknown unrecognized wrong bad incorrect unexpected'.split(' '),
);
/** Words before `token` that make it a number, a page or a piece of a language model. */
const COUNTED: ReadonlySet<string> = new Set(
  'fencing next continuation eos bos pad unk image stop special per max last first'.split(' '),
);

/** `name`: what stands before the separator, at most LONGEST_NAME characters of it. */
export function secretNameOf(name: string): SecretName | null {
  const words = withoutTail(wordsOf(name));
  const last = words.at(-1) ?? '';
  const before = words.at(-2) ?? '';
  const whole = words.join('');
  const isComplaint = words.slice(-4).some((word) => COMPLAINTS.has(word));
  if (HEADERS.some((header) => last.endsWith(header))) return 'header';
  if (last.endsWith('token') && (COUNTED.has(before) || COUNTED.has(last.slice(0, -'token'.length)))) return null;
  if (VALUES.some((value) => last.endsWith(value) || (value.endsWith('key') && whole.endsWith(value)))) {
    return isComplaint ? 'assigned' : 'value';
  }
  if (ASSIGNED.some((value) => last.endsWith(value) || whole.endsWith(value))) return 'assigned';
  if (last === 'key' && words.length > 1) return THINGS.has(before) ? null : 'value';
  return WORDS.get(last) ?? null;
}

/** The same of a name in several words, as a page or a person writes it: `Secret Access Key`. `text` ends with it. */
export function isSecretPhrase(text: string): boolean {
  const whole = wordsOf(text.slice(-LONGEST_NAME / 2)).join('');
  return PHRASES.some((phrase) => whole.endsWith(phrase));
}

/** Without what stands behind the word that counts: `SECRET_KEY_BASE`, `password2`, `token_value`. */
function withoutTail(words: readonly string[]): readonly string[] {
  const last = words.at(-1) ?? '';
  const bare = last.replace(/\d{1,3}$/, '');
  if (bare !== last && bare !== '') return [...words.slice(0, -1), bare];
  return words.length > 1 && (bare === '' || TAILS.has(last)) ? withoutTail(words.slice(0, -1)) : words;
}

/** The words of `apiKey`, `API_KEY`, `x-api-key` and `api key`, in lower case. */
function wordsOf(name: string): readonly string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
