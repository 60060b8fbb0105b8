import { isDeeperThan, MAX_DEPTH } from './json-depth.ts';
import type { StringAttributes } from './parse-message.ts';

/** What parsing accepts as an id of the backend. */
const ID = /^[^\0]{1,500}$/;
const MAX_WRAPPINGS = 3;
/** The largest message that a queue takes. */
const MAX_BYTES = 1_048_576;

/**
 * The backend's id of a message that may be broken in every other respect: what is recorded of it can then be found by its sender. Null
 * where none can be read; never throws.
 */
export function idOf(body: string, attributes: StringAttributes = {}): string | null {
  const inBody = body.length > MAX_BYTES ? null : idIn(parsed(body), 0);
  return inBody ?? accepted(attributes['video_id']);
}

function idIn(value: unknown, depth: number): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const { Type, Message, video } = value as { Type?: unknown; Message?: unknown; video?: unknown };
  if (Type === 'Notification' && typeof Message === 'string') {
    return depth < MAX_WRAPPINGS ? idIn(parsed(Message), depth + 1) : null;
  }
  return typeof video === 'object' && video !== null ? accepted((video as { id?: unknown }).id) : null;
}

function accepted(id: unknown): string | null {
  if (Number.isSafeInteger(id)) return String(id);
  return typeof id === 'string' && ID.test(id) ? id : null;
}

function parsed(text: string): unknown {
  if (isDeeperThan(text, MAX_DEPTH)) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
