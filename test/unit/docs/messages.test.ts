import { describe, expect, test } from '@jest/globals';
import { FAILURE_CODES } from '../../../src/failure/codes.ts';
import { Failure } from '../../../src/failure/failure.ts';
import type { Job, JobSource } from '../../../src/queue/messages/job.ts';
import {
  MAX_BODY_BYTES,
  parseMessage,
  type ParsedMessage,
  type StringAttributes,
} from '../../../src/queue/messages/parse-message.ts';
import { namesIn, readPage, tableBelow } from './pages.ts';

const page = readPage('docs/messages.md');
/** Whether a message of this source can be sent; `command` stands for an object named on the command line. */
const IS_SENT: Readonly<Record<JobSource, boolean>> = { backend: true, 's3-event': true, legacy: true, command: false };

type Outcome =
  | { readonly kind: 'jobs'; readonly jobs: readonly Partial<Job>[] }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'failure'; readonly code: string };

interface Example {
  readonly line: number;
  readonly body: string;
  readonly attributes: StringAttributes;
  readonly expected: Outcome;
}

/** A body, the attributes that may follow it, and what comes of it: fenced blocks whose info string says which is which. */
function readExamples(): readonly Example[] {
  const examples: Example[] = [];
  let open: { line: number; body: string; attributes: StringAttributes } | null = null;
  for (const fence of page.text.matchAll(/^```\w+ (\w+)\n([\s\S]*?)\n```$/gm)) {
    const [, role, text = ''] = fence;
    const line = page.text.slice(0, fence.index).split('\n').length;
    if (role === 'body') {
      if (open !== null) throw new Error(`line ${open.line}: nothing says what comes of this message`);
      open = { line, body: text, attributes: {} };
      continue;
    }
    if (open === null) throw new Error(`line ${line}: no message comes before this`);
    if (role === 'attributes') {
      open = { ...open, attributes: JSON.parse(text) as StringAttributes };
      continue;
    }
    examples.push({ ...open, expected: outcomeFrom(role, text, line) });
    open = null;
  }
  return examples;
}

function outcomeFrom(role: string | undefined, text: string, line: number): Outcome {
  if (role === 'jobs') return { kind: 'jobs', jobs: JSON.parse(text) as Partial<Job>[] };
  if (role === 'ignored') return { kind: 'ignored', reason: text };
  if (role === 'failure') return { kind: 'failure', code: text };
  throw new Error(`line ${line}: a block is named ${String(role)}`);
}

function outcomeOf(parse: () => ParsedMessage): Outcome {
  try {
    const parsed = parse();
    return parsed.kind === 'jobs' ? { kind: 'jobs', jobs: parsed.jobs.map(documented) } : parsed;
  } catch (error) {
    if (error instanceof Failure) return { kind: 'failure', code: error.code };
    throw error;
  }
}

/** The job as the page shows it: without the fields that are null. */
function documented(job: Job): Partial<Job> {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== null)) as Partial<Job>;
}

const examples = readExamples();

test.each(examples.map((example) => [example.line, example] as const))(
  'the example in line %d',
  (_line, { body, attributes, expected }) => {
    expect(outcomeOf(() => parseMessage(body, attributes))).toEqual(expected);
  },
);

describe('what the page covers', () => {
  test('the fields of a job, all of them and no others', () => {
    const [job] = parsedJobs('{"bucket":"b","key":"k"}');
    const told = tableBelow(page, 'Messages').flatMap(([names = '']) => namesIn(names));
    expect(Object.keys(job!).toSorted()).toEqual(told.toSorted());
  });

  test('every form that can be sent, and it names the one that cannot', () => {
    const shown = new Set(
      examples.flatMap(({ expected }) => (expected.kind === 'jobs' ? expected.jobs : [])).map((job) => job.source),
    );
    const sent = Object.entries(IS_SENT).filter(([, isSent]) => isSent);
    expect(shown).toEqual(new Set(sent.map(([source]) => source)));
    for (const source of Object.keys(IS_SENT)) expect(page.text).toContain(`\`${source}\``);
  });

  test('every code of a message', () => {
    const codes = Object.keys(FAILURE_CODES).filter((code) => code.startsWith('MESSAGE_'));
    const headings = [...page.text.matchAll(/^### `(\w+)`$/gm)].map(([, code]) => code);
    expect(new Set(headings)).toEqual(new Set(codes));
    const shown = examples.flatMap(({ expected }) => (expected.kind === 'failure' ? [expected.code] : []));
    // One of that size would fill the page: its limit is compared instead.
    expect(new Set([...shown, 'MESSAGE_TOO_LARGE'])).toEqual(new Set(codes));
  });

  test('the limits', () => {
    expect(page.text).toContain(`more than ${MAX_BODY_BYTES.toLocaleString('en-US')} bytes`);
    const envelope = (message: string): string => JSON.stringify({ Type: 'Notification', Message: message });
    const inside = (depth: number): string => (depth === 0 ? '{"bucket":"b","key":"k"}' : envelope(inside(depth - 1)));
    expect(outcomeOf(() => parseMessage(inside(3))).kind).toBe('jobs');
    expect(outcomeOf(() => parseMessage(inside(4)))).toEqual({ kind: 'failure', code: 'MESSAGE_UNKNOWN_SHAPE' });
  });
});

function parsedJobs(body: string): readonly Job[] {
  const parsed = parseMessage(body);
  return parsed.kind === 'jobs' ? parsed.jobs : [];
}
