import { expect, test } from '@jest/globals';
import { idOf } from '../../../../src/queue/messages/message-id.ts';

const broken = { eventType: 'video-uploaded', video: { id: 'v1' }, s3: { bucket: 7 } };

test.each([
  ['a backend message whose object is broken', JSON.stringify(broken), {}, 'v1'],
  ['a number', JSON.stringify({ video: { id: 42 } }), {}, '42'],
  ['one inside an envelope', JSON.stringify({ Type: 'Notification', Message: JSON.stringify(broken) }), {}, 'v1'],
  ['the attribute of a body that is no JSON', 'bucket=a', { video_id: 'v2' }, 'v2'],
  ['the attribute, where the body has none', '{"key":1}', { video_id: 'v2' }, 'v2'],
  ['the body, where both have one', JSON.stringify(broken), { video_id: 'v2' }, 'v1'],
])('the id of a message that cannot be parsed is found: %s', (_, body, attributes, id) => {
  expect(idOf(body, attributes)).toBe(id);
});

test.each([
  ['', {}],
  ['null', {}],
  ['{"video":7}', {}],
  ['{"video":{"id":{"a":1}}}', {}],
  ['{"video":{"id":1.5}}', {}],
  [JSON.stringify({ video: { id: 'x'.repeat(501) } }), { video_id: '' }],
  ['{"video":{"id":"a\\u0000b"}}', {}],
  ['{"Type":"Notification","Message":"{"}', {}],
])('where nothing can be an id, there is none: %j', (body, attributes: Record<string, string>) => {
  expect(idOf(body, attributes)).toBeNull();
});
