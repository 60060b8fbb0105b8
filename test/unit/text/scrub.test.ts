import { describe, expect, test } from '@jest/globals';
import { scrub } from '../../../src/text/scrub.ts';
import { atDepth } from '../../harness/depth.ts';
import { CARRIERS, ESCAPINGS, FORMS, SECRETS, type Carrier, type Escaping } from './secret-corpus.ts';

const PARTS = /Zq[789]|ZQ[789]/;

/** Of the secrets one in so many, another for each carrier and escaping: every pair of the three lists still meets. */
const ONE_IN = atDepth(3, 1);

function shown(carrier: Carrier, escaping: Escaping): readonly string[] {
  const turn = CARRIERS.indexOf(carrier) + ESCAPINGS.indexOf(escaping);
  const secrets = SECRETS.filter((_, index) => (index + turn) % ONE_IN === 0);
  return secrets
    .filter((secret) => carrier.without?.test(secret) !== true)
    .flatMap((secret) => {
      const text = escaping.of(carrier.of(secret));
      const clean = scrub(text);
      const isHidden = !PARTS.test(clean) && clean.includes('***');
      const isSettled = scrub(clean) === clean;
      return isHidden && isSettled
        ? []
        : [`${isHidden ? 'changed again' : 'shown'}: ${text.slice(0, 300)} -> ${clean.slice(0, 300)}`];
    });
}

describe('every secret of the corpus is hidden', () => {
  test.each(CARRIERS)('in $name', (carrier) => {
    expect(ESCAPINGS.flatMap((escaping) => shown(carrier, escaping))).toEqual([]);
  });

  test.each(FORMS)('known by its form: %s', (secret) => {
    const carriers: Carrier[] = [
      { name: 'alone', of: (text) => text },
      { name: 'in a sentence', of: (text) => `it said ${text}, and ended` },
      { name: 'in JSON', of: (text) => JSON.stringify({ note: text }) },
      { name: 'in a path', of: (text) => `x/y (${text})` },
    ];
    const texts = carriers.flatMap((carrier) => ESCAPINGS.map((escaping) => escaping.of(carrier.of(secret))));
    expect(texts.map(scrub).filter((text) => PARTS.test(text))).toEqual([]);
  });
});

/** What an operator reads a failure for. */
const READABLE: readonly string[] = [
  'password authentication failed for user "worker"',
  'no pg_hba.conf entry for host "10.0.0.1", user "worker", database "videos", no encryption',
  'duplicate key value violates unique constraint "videos_identity_key"',
  'null value in column "key" of relation "videos" violates not-null constraint',
  'Key (identity)=(0123456789abcdef) already exists.',
  's3://video-uploads/videos/2026/11/28/camera-1.mp4: the specified key does not exist (NoSuchKey)',
  's3://bucket/12:30@north/v.mp4',
  'http://localhost:4566/000000000000/video-queue',
  'https://sqs.eu-west-1.amazonaws.com/123456789012/video-queue.fifo',
  'http://localhost:4566/bucket/cam@1.mp4?list-type=2&prefix=videos%2F',
  'postgres://db.example.com:5432/videos?sslmode=verify-full&sslrootcert=/etc/ca.pem',
  'arn:aws:iam::123456789012:role/worker is not authorized to perform: s3:GetObject',
  '{"key":"videos/a.mp4","bucket":"b","etag":"d41d8cd98f00b204e9800998ecf8427e","fencingToken":7}',
  '<Error><Code>NoSuchKey</Code><Key>videos/a.mp4</Key><RequestId>4442587FB7D0A2F9</RequestId></Error>',
  'S3_KEY=videos/a.mp4 object_key: a/b.mp4 highlightKey=x/1.jpg primary key: id sort_key=4',
  'The security token included in the request is expired',
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  'Signature not yet current: 20261128T101010Z is still later than 20261128T100510Z',
  'credentials: could not get any: Could not load credentials from any providers',
  'CREDENTIALS: the credentials are missing, expired or refused',
  'Unexpected token in JSON at position 4',
  'DATABASE_URL is "x": it must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, or pglite:DIR',
  'password_file=/run/secrets/db token_count: 3 secret_name=db tokens=5 bypass=1 compass: north monkey=2',
  'AWS_WEB_IDENTITY_TOKEN_FILE=/run/aws DB_PASSWORD_FILE=/run/db SECRET_NAME=db TOKEN_URL=x MAX_TOKENS_PER_TEXT=5 TOKEN_TYPE=jwt',
  'Unexpected token\nvalue: 3 is none; ["--token","--verbose"]; ["password","user"] are missing',
  'bypass=1 lowpass=f=3000 secrets: none found, passwords: two',
  'HEALTH_TOKEN is not set: it must be a text of 16 characters or more',
  'InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.',
  'ExpiredToken: The provided token has expired.',
  'InvalidToken: The provided token is malformed or otherwise invalid.',
  'InvalidClientTokenId: The security token included in the request is invalid',
  'SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided.',
  'ExpiredTokenException: it is over',
  'basic authentication required; the bearer of bad news',
  'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'commit 0123456789abcdef0123456789abcdef01234567',
  'videos/2026/11/28/CameraNorthEntrance/clip000001',
  '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  'moov atom not found | Error opening input: Invalid data found when processing input',
  'CUDA failure 2: out of memory ; GPU=0 ; hostname=gpu-1 ; file=/onnxruntime/cuda_allocator.cc',
  'password=*** token: *** "secret":"***"',
  'bob@example.com wrote: see https://x.example/z?to=a@b.c',
  '',
];

test.each(READABLE)('leaves what is no secret: %s', (text) => {
  expect(ESCAPINGS.map(({ of }) => scrub(of(text)))).toEqual(ESCAPINGS.map(({ of }) => of(text)));
});

test.each([
  ['PGPASSWORD=Zq7 psql -h db', 'PGPASSWORD=*** psql -h db'],
  ['DB_PASSWORD=Zq7\\nDB_USER=worker', 'DB_PASSWORD=***\\nDB_USER=worker'],
  ['{"password":"Zq7\\" Zq8","user":"worker"}', '{"password":"***","user":"worker"}'],
  ["host=db password='Zq7 Zq8' dbname=x", "host=db password='***' dbname=x"],
  ['postgres://worker:Zq7@db/x refused', 'postgres://***@db/x refused'],
  ['https://b/k.mp4?X-Amz-Signature=Zq7 is gone', 'https://b/k.mp4?*** is gone'],
  ['x=1&password=Zq7&y=2', 'x=1&password=***&y=2'],
  ['Server=a;Password=Zq7 Zq8;Database=x', 'Server=a;Password=***;Database=x'],
  ['{"password":"Zq7\\nZq8', '{"password":"***'],
  ['db:\n  token: |\n    Zq7\n    Zq8\n  user: a', 'db:\n  token: |\n    ***\n  user: a'],
  ['GET /\r\nCookie: Zq7=Zq8; Zq9\r\nHost: x', 'GET /\r\nCookie: ***\r\nHost: x'],
  ["token:'\nclient-secret='Zq7'\nend", "token:'***'***'\nend"],
  ["secret=' password='Zq7' user='a'", "secret='***'***' user='a'"],
  ['<secret password="Zq7" a="b">Zq8</secret>', '<secret password="***" a="b">***</secret>'],
  ['<token\nDB_PASSWORD: Zq7\n>', '<token\nDB_PASSWORD: ***\n>'],
  ['<Password>Zq7</Password><User>a</User>', '<Password>***</Password><User>a</User>'],
])('keeps what is around a secret: %s', (text, clean) => {
  expect(scrub(text)).toBe(clean);
});
