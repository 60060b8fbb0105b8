/**
 * What ffmpeg 5 to 9 say when the system gives them no thread, at the beginning of a line. A text of the file mostly stands behind something
 * else there, but one with a line feed in it can look the same. Where a decoder is given data, the same errno may come of the data, and is
 * not among these.
 */
const WORDS = [
  String.raw`pthread_create(?:\(\))? failed: Resource temporarily unavailable`,
  String.raw`(?:Error while opening (?:de|en)coder|Error opening (?:in|out)put files?|Failed to inject frame into filter network|Error sending frames to consumers|Error re?initializing)\b.*: Resource temporarily unavailable`,
  String.raw`(?:Task finished with error code|Terminating thread with return code): -11 \(Resource temporarily unavailable\)`,
  String.raw`Failed initializing scaling graph \(Resource temporarily unavailable\)`,
  // The encoder of raw pictures has nothing else that can fail there.
  'ff_frame_thread_encoder_init failed',
];

/** What stands before a message: the part of ffmpeg that speaks. */
const SPEAKER = String.raw`^(?:\[[^\]]*\] )*`;

const SHORTAGE = new RegExp(`${SPEAKER}(?:${WORDS.join('|')})`);
const CLOSED_DECODER = new RegExp(`${SPEAKER}Error while opening decoder\\b.*: Cannot allocate memory`);

/** True for what ffmpeg or ffprobe logged when it got no thread. */
export function tellsOfNoThread(line: string): boolean {
  return SHORTAGE.test(line);
}

/** True for a decoder that was not opened for want of memory, as one of AV1 also says where threads run out. */
export function tellsOfNoDecoder(line: string): boolean {
  return CLOSED_DECODER.test(line);
}
