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
  'kennwort',
  'pswd',
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
const PHRASES: readonly string[] = [...VALUES.filter((value) => value.includes('key')), 'identifiedby'];
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
  'passwords',
  'passphrases',
  'secrets',
  'apikeys',
];
/** As the last word of a name, and only so: `compass` and `design` end in two of them. */
const WORDS: ReadonlyMap<string, SecretName> = new Map([
  ['pass', 'value'],
  ['pw', 'value'],
  ['psk', 'value'],
  ['jwt', 'assigned'],
  ['otp', 'assigned'],
  ['auth', 'assigned'],
  ['sig', 'assigned'],
]);
/** Whose password it is, in one word with `pass`: `bypass` and `lowpass` are none. */
const OWNED_PASS =
  /^(?:db|user|usr|my|mysql|pg|postgres|redis|require|root|admin|ftp|smtp|mail|ssh|sudo|ldap|proxy|http|login|key|store|keystore|truststore)pass$/;
/** In a name of the environment what a secret is for may stand behind its word: `DB_PASSWORD_PROD`, `AWS_BEARER_TOKEN_BEDROCK`. */
const OF_ENVIRONMENT = /^[A-Z][A-Z0-9_]*$/;
const SECRET_WORDS: ReadonlySet<string> = new Set('password passwd passphrase pwd secret token apikey'.split(' '));
const SECRET_KEYS: ReadonlySet<string> = new Set('access api secret private signing encryption master auth'.split(' '));
/** Words behind it that make it the name of something about a secret. */
const ABOUT: ReadonlySet<string> = new Set(
  (
    'file path dir folder url uri endpoint host port name names id ids arn type kind count counter limit length len size min max ttl age ' +
    'expiry expires expiration lifetime seconds minutes ms period policy rotation version format prefix suffix header field column param ' +
    'env var variable enabled disabled required optional provider source store manager hash algorithm alg encoding reset change callback ' +
    'issuer audience scope scopes user username mode status state error invalid missing expired code budget per'
  ).split(' '),
);
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
  'value base text string plain raw old new current previous b64 base64 hex default data'.split(' '),
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
  if (OWNED_PASS.test(last) || (OF_ENVIRONMENT.test(name) && isSecretOf(words))) return 'value';
  return WORDS.get(last) ?? null;
}

/** Whether a word of a secret stands in a name, and behind it only what it is for. */
function isSecretOf(words: readonly string[]): boolean {
  const at = words.findLastIndex(
    (word, index) => SECRET_WORDS.has(word) || (word === 'key' && SECRET_KEYS.has(words[index - 1] ?? '')),
  );
  return at !== -1 && !COUNTED.has(words[at - 1] ?? '') && !words.slice(at + 1).some((word) => ABOUT.has(word));
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
