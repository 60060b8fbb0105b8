import { matching, text } from '../forms.ts';

export const BUCKET = matching(
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  'bucket',
  'a bucket name: 3 to 63 of a-z, 0-9, . and -',
);
export const FOLDER = text('folder', 'a path on one line');
export const FILE = text('file', 'a path on one line');
export const REGION = matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'region', 'an AWS region such as ap-northeast-2');
