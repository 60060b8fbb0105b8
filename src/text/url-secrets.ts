import { asciiLower, isBlankAt, isQuoteAt, pastBlanks } from './characters.ts';
import { ENCODED, PLAIN, type Reading } from './reading.ts';
import { counts, isClosingQuote, type Span } from './span.ts';

/** Schemes with a port often, and with a password seldom: an `@` in their paths is a name of a file. */
const OF_THE_WEB: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss', 's3', 'file', 'arn', 'gs']);
const LONGEST_SCHEME = 32;
/** As messages and documents write what belongs there. */
const PLACEHOLDER = 'USER:PASSWORD';
/** In the query of a URL that lets whoever has it have the object. */
const SIGNED = /x-amz-|x-goog-|awsaccesskeyid=|signature=|[?&;]sig=/;
const ORACLE = 'jdbc:oracle:';
const LONGEST_USER_INFO = 256;
/** Where the path of a URL is the secret, and how many of its parts are not. */
const WEBHOOKS: readonly (readonly [address: string, open: number])[] = [
  ['hooks.slack.com/', 1],
  ['discord.com/api/webhooks/', 0],
  ['discordapp.com/api/webhooks/', 0],
  ['webhook.office.com/', 1],
  ['outlook.office.com/webhook/', 0],
  ['api.telegram.org/bot', 0],
  ['hooks.zapier.com/hooks/catch/', 0],
  ['hc-ping.com/', 0],
  ['events.pagerduty.com/integration/', 0],
];

/** What of the URLs in a text is secret: user names and passwords, the queries of presigned ones, the paths of webhooks. */
export function urlSecrets(reading: Reading): readonly Span[] {
  const ends = new UrlEnds(reading);
  return [
    ...userInfos(reading, ends),
    ...userInfosWithoutScheme(reading),
    ...signedQueries(reading, ends),
    ...webhooks(reading, ends),
  ];
}

/** Go's and Oracle's data sources: `user:password@tcp(host)`, `jdbc:oracle:thin:user/password@host`. */
function userInfosWithoutScheme({ text }: Reading): readonly Span[] {
  const spans: Span[] = [];
  for (const sign of ['@tcp(', '@unix(']) {
    for (let at = text.indexOf(sign); at !== -1; at = text.indexOf(sign, at + sign.length)) {
      let start = at;
      while (
        at - start < LONGEST_USER_INFO &&
        start > 0 &&
        !isBlankAt(text, start - 1) &&
        !isQuoteAt(text, start - 1)
      ) {
        start -= 1;
      }
      spans.push({ start, end: at });
    }
  }
  for (let at = text.indexOf(ORACLE); at !== -1; at = text.indexOf(ORACLE, at + ORACLE.length)) {
    const start = text.indexOf(':', at + ORACLE.length) + 1;
    const piece = text.slice(start, start + LONGEST_USER_INFO);
    const length = piece.search(/[@\s"']/);
    if (start > 0 && start - at < LONGEST_SCHEME && piece[length] === '@' && length > 0) {
      spans.push({ start, end: start + length });
    }
  }
  return spans;
}

function userInfos(reading: Reading, ends: UrlEnds): readonly Span[] {
  const { text } = reading;
  const spans: Span[] = [];
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
    const start = at + 3;
    const end = userInfoEnd(reading, ends, { scheme: schemeBefore(text, at), start, kind: reading.kindOf(at) });
    if (end === null) continue;
    spans.push({ start, end });
    at = Math.max(at, end - 3);
  }
  return spans;
}

function schemeBefore(text: string, end: number): string {
  const from = Math.max(0, end - LONGEST_SCHEME);
  return /[A-Za-z0-9+.-]*$/.exec(text.slice(from, end))?.[0].toLowerCase() ?? '';
}

/**
 * Where user name and password of a URL end; null where it has none. A password may hold what else ends that part of a URL: the last `@`
 * counts. Where a name and a colon stand without one, the URL was cut off.
 */
function userInfoEnd(
  reading: Reading,
  ends: UrlEnds,
  { scheme, start, kind }: { readonly scheme: string; readonly start: number; readonly kind: number },
): number | null {
  const { text } = reading;
  const { end, lastAt } = ends.of(start, kind);
  if (scheme === '' || text[start] === '[') return lastAt >= start && scheme !== '' ? lastAt : null;
  const host = hostPart(text, start, end);
  const colon = host.indexOf(':');
  if (lastAt >= start) {
    if (lastAt - start === PLACEHOLDER.length && text.startsWith(PLACEHOLDER, start)) return null;
    if (host.includes('@')) return lastAt;
    if (colon === -1) return null;
    return isPort(text, start + colon + 1) && OF_THE_WEB.has(scheme) ? null : lastAt;
  }
  return colon === -1 || isPort(text, start + colon + 1) || isDone(host) ? null : end;
}

/** What stands before the first slash, question mark or hash. */
function hostPart(text: string, start: number, end: number): string {
  let index = start;
  while (index < end && !'/?#'.includes(text[index] ?? '/')) index += 1;
  return text.slice(start, index);
}

function isPort(text: string, start: number): boolean {
  return /^\d{1,5}(?![A-Za-z0-9_%~+*!$=^-])/.test(text.slice(start, start + 6));
}

function isDone(host: string): boolean {
  return host.startsWith('***');
}

function signedQueries(reading: Reading, ends: UrlEnds): readonly Span[] {
  const { text } = reading;
  const spans: Span[] = [];
  for (let at = text.indexOf('?'); at !== -1;) {
    const { end } = ends.of(at, reading.kindOf(at));
    if (SIGNED.test(asciiLower(text.slice(at, end)))) spans.push({ start: at + 1, end });
    at = text.indexOf('?', Math.max(end, at + 1));
  }
  return spans;
}

function webhooks(reading: Reading, ends: UrlEnds): readonly Span[] {
  const { text } = reading;
  if (!text.includes('.com/') && !text.includes('.org/')) return [];
  const lower = asciiLower(text);
  const spans: Span[] = [];
  for (const [address, open] of WEBHOOKS) {
    for (let at = lower.indexOf(address); at !== -1; at = lower.indexOf(address, at + address.length)) {
      const { end } = ends.of(at, reading.kindOf(at + address.length - 1));
      let start = at + address.length;
      if (open === 1) start = lower.indexOf('/', start) + 1;
      if (start > 0 && start < end) spans.push({ start, end });
    }
  }
  return spans;
}

/** Where URLs end. One look for all that begin in the same row of characters: in `a://a://a://` each one would look to the end. */
class UrlEnds {
  readonly #reading: Reading;
  readonly #last = new Map<boolean, { readonly from: number; readonly end: number; readonly lastAt: number }>();

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** For a URL whose signs stand as `kind` says, from a place within it on. */
  of(start: number, kind: number): { readonly end: number; readonly lastAt: number } {
    const isEncoded = kind === ENCODED;
    const known = this.#last.get(isEncoded);
    if (known !== undefined && start >= known.from && start < known.end) return known;
    const found = this.#look(start, isEncoded ? ENCODED : PLAIN);
    this.#last.set(isEncoded, { from: start, ...found });
    return found;
  }

  #look(start: number, kind: number): { readonly end: number; readonly lastAt: number } {
    const { text } = this.#reading;
    let index = start;
    let lastAt = -1;
    for (; index < text.length; index += 1) {
      if (!counts(this.#reading, index, kind)) continue;
      if (text[index] === '@') lastAt = index;
      if (this.#isEnd(index, kind)) break;
    }
    return { end: index, lastAt };
  }

  #isEnd(index: number, kind: number): boolean {
    const { text } = this.#reading;
    const character = text[index];
    if (isBlankAt(text, index) || character === '<' || character === '>') return true;
    // A URL inside the query of another one ends with its parameter.
    if (kind === ENCODED && character === '&' && this.#reading.kindOf(index) !== ENCODED) return true;
    if (isQuoteAt(text, index)) return isClosingQuote(this.#reading, index);
    return character === ',' && isBlankAt(text, pastBlanks(text, index + 1, 1)) && isBlankAt(text, index + 1);
  }
}
