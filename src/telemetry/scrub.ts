const RULES: readonly (readonly [RegExp, string])[] = [
  // Query of a presigned URL, in version 4 and version 2 form: whoever has it has the object.
  [/\?[^\s"'<>\\]*(?:X-Amz-|AWSAccessKeyId=|Signature=)[^\s"'<>\\]*/gi, '?***'],
  // User name and password of any URL. No @ may follow the last one taken: a password may hold one.
  [/\b([a-z][a-z0-9+]*:\/\/)[^\s"'<>\\/]+@/gi, '$1***@'],
  // Access key ids of the AWS, long-lived and temporary.
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, '***'],
  [/\b(Authorization|X-Amz-Security-Token)(["']?\s*[:=]\s*["']?)[^"'\\\r\n]+/gi, '$1$2***'],
  [
    /\b(aws_secret_access_key|aws_session_token|secretAccessKey|sessionToken|password)(\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;&]+/gi,
    '$1$2***',
  ],
];

/** Removes presigned queries, credentials and passwords from a text, whatever it says around them. */
export function scrub(text: string): string {
  return RULES.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}
