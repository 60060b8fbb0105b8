import { expect, test } from '@jest/globals';
import { slimProvider } from '../../bench/gpu-kit/slim-provider.ts';

interface EntryForm {
  readonly architecture: number;
  readonly code: string;
  /** Longer than the smallest header. */
  readonly headerBytes?: number;
}

const ELF_HEADER = 64;
const SECTION_HEADER = 64;

function entry({ architecture, code, headerBytes = 64 }: EntryForm): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16LE(2, 0);
  header.writeUInt32LE(headerBytes, 4);
  header.writeBigUInt64LE(BigInt(code.length), 8);
  header.writeUInt32LE(architecture, 28);
  return Buffer.concat([header, Buffer.from(code, 'latin1')]);
}

/** A container, filled up to whole eights as the linker does. */
function container(entries: readonly Buffer[]): Buffer {
  const content = Buffer.concat(entries);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(0xba55ed50, 0);
  header.writeUInt16LE(1, 4);
  header.writeUInt16LE(16, 6);
  header.writeBigUInt64LE(BigInt(content.length), 8);
  return Buffer.concat([header, content, Buffer.alloc((8 - (content.length % 8)) % 8)]);
}

/** A 64-bit ELF file with the section, the section of names and four bytes that belong to nobody. */
function library(content: Buffer, name = '.nv_fatbin'): Buffer {
  const names = Buffer.from(`\0.shstrtab\0${name}\0`, 'latin1');
  const contentAt = ELF_HEADER + names.length;
  const table = contentAt + content.length + 4;
  const header = Buffer.alloc(ELF_HEADER);
  header.write('\u007fELF\u0002\u0001', 0, 'latin1');
  header.writeBigUInt64LE(BigInt(table), 40);
  header.writeUInt16LE(SECTION_HEADER, 58);
  header.writeUInt16LE(3, 60);
  header.writeUInt16LE(1, 62);
  const section = (nameAt: number, start: number, bytes: number): Buffer => {
    const described = Buffer.alloc(SECTION_HEADER);
    described.writeUInt32LE(nameAt, 0);
    described.writeBigUInt64LE(BigInt(start), 24);
    described.writeBigUInt64LE(BigInt(bytes), 32);
    return described;
  };
  const sections = [section(0, 0, 0), section(1, ELF_HEADER, names.length), section(11, contentAt, content.length)];
  return Buffer.concat([header, names, content, Buffer.from('rest'), ...sections]);
}

const contentAt = ELF_HEADER + '\0.shstrtab\0.nv_fatbin\0'.length;

test('the wanted code moves to the front of its container, which ends after it', () => {
  const wanted = entry({ architecture: 90, code: 'ninety' });
  const first = container([
    entry({ architecture: 75, code: 'seventy-five' }),
    wanted,
    entry({ architecture: 120, code: 'hundred and twenty' }),
  ]);
  const wantedAgain = entry({ architecture: 90, code: 'the second ninety', headerBytes: 72 });
  const second = container([wantedAgain, entry({ architecture: 75, code: 'x' })]);
  const bytes = library(Buffer.concat([first, Buffer.alloc(8), second]));
  const before = Buffer.from(bytes);

  const report = slimProvider(bytes, 90);

  expect(report.kept).toBe(6 + 17);
  expect([...report.dropped]).toEqual([
    [75, 12 + 1],
    [120, 18],
  ]);
  expect(bytes.length).toBe(before.length);
  const slimFirst = bytes.subarray(contentAt, contentAt + first.length);
  expect(slimFirst.readBigUInt64LE(8)).toBe(BigInt(wanted.length));
  expect(slimFirst.subarray(16, 16 + wanted.length)).toEqual(wanted);
  expect(slimFirst.subarray(16 + wanted.length).every((byte) => byte === 0)).toBe(true);
  const secondAt = contentAt + first.length + 8;
  const slimSecond = bytes.subarray(secondAt, secondAt + second.length);
  expect(slimSecond.readUInt32LE(0)).toBe(0xba55ed50);
  expect(slimSecond.readBigUInt64LE(8)).toBe(BigInt(wantedAgain.length));
  expect(slimSecond.subarray(16, 16 + wantedAgain.length)).toEqual(wantedAgain);
  expect(slimSecond.subarray(16 + wantedAgain.length).every((byte) => byte === 0)).toBe(true);
  // Everything outside of the section is as it was.
  expect(bytes.subarray(0, contentAt)).toEqual(before.subarray(0, contentAt));
  expect(bytes.subarray(secondAt + second.length)).toEqual(before.subarray(secondAt + second.length));
});

test('all code of the architecture in a container is kept, in its order', () => {
  const [one, two] = [entry({ architecture: 90, code: 'one' }), entry({ architecture: 90, code: 'two' })];
  const bytes = library(container([one, entry({ architecture: 80, code: 'eighty' }), two]));
  slimProvider(bytes, 90);
  expect(bytes.readBigUInt64LE(contentAt + 8)).toBe(BigInt(one.length + two.length));
  expect(bytes.subarray(contentAt + 16, contentAt + 16 + one.length + two.length)).toEqual(Buffer.concat([one, two]));
});

test('a container without the architecture stays as it is', () => {
  const other = container([
    entry({ architecture: 75, code: 'seventy-five' }),
    entry({ architecture: 80, code: 'eighty' }),
  ]);
  const bytes = library(Buffer.concat([other, container([entry({ architecture: 90, code: 'ninety' })])]));
  const before = Buffer.from(bytes);
  const report = slimProvider(bytes, 90);
  expect(report.dropped.size).toBe(0);
  expect(bytes).toEqual(before);
});

test('a library without GPU code, or without that of the architecture, is refused and says what there is', () => {
  expect(() => slimProvider(library(Buffer.alloc(16), '.text'), 90)).toThrow('there is no section .nv_fatbin');
  const bytes = library(container([entry({ architecture: 120, code: 'a' }), entry({ architecture: 75, code: 'b' })]));
  const before = Buffer.from(bytes);
  expect(() => slimProvider(bytes, 90)).toThrow('no code for architecture 90; found: 75, 120');
  expect(bytes).toEqual(before);
  expect(() => slimProvider(library(Buffer.alloc(16)), 90)).toThrow('found: none');
});

test('what is not of the known form is refused', () => {
  const broken = 'the format is not the known one';
  const longCode = entry({ architecture: 90, code: 'ninety' });
  longCode.writeBigUInt64LE(7n, 8);
  expect(() => slimProvider(library(container([longCode])), 90)).toThrow(broken);
  const shortHeader = entry({ architecture: 90, code: 'ninety' });
  shortHeader.writeUInt32LE(31, 4);
  expect(() => slimProvider(library(container([shortHeader])), 90)).toThrow(broken);
  const half = entry({ architecture: 90, code: '' }).subarray(0, 24);
  expect(() => slimProvider(library(container([half])), 90)).toThrow(broken);
  const tooLong = container([entry({ architecture: 90, code: 'ninety' })]);
  tooLong.writeBigUInt64LE(1000n, 8);
  expect(() => slimProvider(library(tooLong), 90)).toThrow('a container ends outside of .nv_fatbin');
  expect(() => slimProvider(Buffer.from('MZ and so on'), 90)).toThrow('no 64-bit ELF file');
});
