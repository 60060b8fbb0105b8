import { text } from '../forms.ts';
import { optional } from '../key.ts';
import { BUCKET } from './shared-forms.ts';

export const OBJECT_KEYS = {
  bucket: optional('S3_BUCKET', BUCKET, {
    neededBy: ['object'],
    description: 'for `video-worker once`: bucket of the one object',
  }),
  key: optional('S3_KEY', text('key', 'an object key on one line'), {
    neededBy: ['object'],
    description: 'for `video-worker once`: key of the one object',
  }),
  versionId: optional('S3_VERSION_ID', text('version id'), {
    description: 'for `video-worker once`: version of the object',
  }),
  videoId: optional('VIDEO_ID', text('id'), {
    description: "for `video-worker once`: the backend's id of the video; derived from the object when absent",
  }),
} as const;
