import { expect, test } from '@jest/globals';
import {
  fatalError,
  FrontendMessageReader,
  SSL_REQUEST,
  startupAnswer,
  transactionStatus,
} from '../../../../src/persistence/embedded/wire-messages.ts';

function untyped(code: number, body = ''): Buffer {
  const bytes = Buffer.alloc(8 + body.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(code, 4);
  bytes.write(body, 8, 'latin1');
  return bytes;
}

function typed(type: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type, 'latin1');
  bytes.writeInt32BE(4 + body.length, 1);
  bytes.write(body, 5, 'latin1');
  return bytes;
}

const stream = Buffer.concat([
  untyped(SSL_REQUEST),
  untyped(196_608, 'user\0x\0\0'),
  typed('Q', 'SELECT 1\0'),
  typed('S', ''),
]);

test.each([1, 3, 7, stream.length])('messages are cut the same from pieces of %i bytes', (size) => {
  const reader = new FrontendMessageReader();
  const messages = [];
  for (let at = 0; at < stream.length; at += size) messages.push(...reader.push(stream.subarray(at, at + size)));
  expect(messages.map(({ type, code, bytes }) => [type, code, bytes.length])).toEqual([
    [null, SSL_REQUEST, 8],
    [null, 196_608, 16],
    ['Q', null, 14],
    ['S', null, 5],
  ]);
});

test.each([untyped(0).fill(0, 0, 4), untyped(0).fill(0xff, 0, 4), untyped(0).fill(0x7f, 0, 4)])(
  'a length that cannot be is refused instead of waited for (%#)',
  (bytes) => {
    expect(() => new FrontendMessageReader().push(bytes)).toThrow(/not possible/);
  },
);

test('the status is read from the end of an answer, and only from there', () => {
  const ready = (status: string) => Buffer.concat([typed('C', 'SELECT 1\0'), typed('Z', status)]);
  expect(['I', 'T', 'E'].map((status) => transactionStatus(ready(status)))).toEqual(['I', 'T', 'E']);
  expect(transactionStatus(typed('1', ''))).toBeNull();
  expect(transactionStatus(new Uint8Array())).toBeNull();
  expect(transactionStatus(Buffer.concat([ready('I'), typed('N', 'notice\0')]))).toBeNull();
});

test('a startup is answered with authentication, parameters and readiness', () => {
  const answer = startupAnswer('18.1', 7);
  expect(answer.subarray(0, 9)).toEqual(typed('R', '\0\0\0\0'));
  expect(answer.includes('server_version\x0018.1\0')).toBe(true);
  expect(transactionStatus(answer)).toBe('I');
});

test('a fatal error carries severity, code and text', () => {
  expect(fatalError('XX000', 'gone').toString('latin1').slice(5)).toBe('SFATAL\0VFATAL\0CXX000\0Mgone\0\0');
});
