import { expect, test } from '@jest/globals';
import { Failure } from '../../../../src/failure/failure.ts';
import { isDeeperThan } from '../../../../src/queue/messages/json-depth.ts';
import { idOf } from '../../../../src/queue/messages/message-id.ts';
import { parseMessage } from '../../../../src/queue/messages/parse-message.ts';

test.each<[string, number, boolean]>([
  ['[[[]]]', 3, false],
  ['[[[]]]', 2, true],
  ['{"a":[{"b":1}]}', 3, false],
  ['{"a":[{"b":1}]}', 2, true],
  ['[[],[],[]]', 2, false],
  ['{"[[[[[[[":"{{{{{{"}', 1, false],
  ['{"a\\"[[[[":"\\\\"}', 1, false],
  ['"never ends [[[[', 0, false],
  ['', 0, false],
])('%s is deeper than %i levels: %s', (json, levels, isDeeper) => {
  expect(isDeeperThan(json, levels)).toBe(isDeeper);
});

test.each(['[', '{"a":', '[{"a":'])(
  'a body of a hundred thousand times %s is refused without being parsed',
  (opening) => {
    const body = opening.repeat(100_000).slice(0, 262_144);
    expect(() => parseMessage(body)).toThrow(Failure);
    expect(() => parseMessage(body)).toThrow(/nested deeper than 200 levels/);
    const wrapped = JSON.stringify({ Type: 'Notification', Message: body.slice(0, 100_000) });
    expect(() => parseMessage(wrapped)).toThrow(/nested deeper than 200 levels/);
    expect(idOf(body, { video_id: 'known' })).toBe('known');
  },
);
