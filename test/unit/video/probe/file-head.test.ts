import { expect, test } from '@jest/globals';
import { photoKind } from '../../../../src/video/probe/file-head.ts';

function box(type: string, content = ''): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(8 + content.length);
  return Buffer.concat([size, Buffer.from(type + content, 'latin1')]);
}

test.each([
  ['heic', 'HEIC'],
  ['heix', 'HEIC'],
  ['avif', 'AVIF'],
  ['mif1', 'HEIF'],
  ['crx ', 'CR3'],
  ['jxl ', 'JPEG XL'],
])('a file of the brand %p is a photo, whatever else it may be', (brand, kind) => {
  const head = box('ftyp', `${brand}\0\0\0\0isommp42`);
  const photo = { name: kind, isSure: true };
  expect(photoKind(head)).toEqual(photo);
  expect(photoKind(Buffer.concat([box('free', 'xxxx'), box('wide'), head]))).toEqual(photo);
});

test.each([
  ['hevc', 'HEIC'],
  ['avis', 'AVIF'],
  ['msf1', 'HEIF'],
])('a file of the brand %p is a photo if it holds no movie', (brand, kind) => {
  const head = box('ftyp', `${brand}\0\0\0\0mif1heic`);
  expect(photoKind(head)).toEqual({ name: kind, isSure: false });
});

test.each(['isom', 'qt  ', 'mp42', 'M4V ', '3gp5'])('a file of the brand %p may be a video', (brand) => {
  const head = box('ftyp', `${brand}\0\0\0\0mif1heic`);
  expect(photoKind(head)).toBeNull();
});

test.each([
  ['ffd8ffe000104a46494600', 'JPEG'],
  ['89504e470d0a1a0a0000000d', 'PNG'],
  ['524946461a00000057454250565038', 'WebP'],
  ['49492a0008000000', 'TIFF'],
  ['0000000c6a5020200d0a870a00000014667479706a703220', 'JPEG 2000'],
  ['0000000c4a584c200d0a870a', 'JPEG XL'],
])('a file that begins with %s is a %s', (hex, kind) => {
  expect(photoKind(Buffer.from(hex, 'hex'))).toEqual({ name: kind, isSure: true });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a few bytes', Buffer.from('ftyp')],
  ['a movie without a brand', Buffer.concat([box('moov', 'heic'), box('ftyp', 'heic')])],
  ['a box that has no end', Buffer.concat([Buffer.from([0, 0, 0, 4]), Buffer.from('freeheicheic')])],
  [
    'a box that is longer than the file',
    Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.from('freeheic')]),
  ],
  ['AVI, which begins like WebP', Buffer.from('524946461a00000041564920', 'hex')],
  ['Matroska', Buffer.from('1a45dfa3a34286810142f7810142f2810442f381', 'hex')],
])('%s is no photo', (_what, head) => {
  expect(photoKind(head)).toBeNull();
});
