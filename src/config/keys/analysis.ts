import { decimal, httpUrl, integer, labels, oneOf, text } from '../forms.ts';
import { optional, withDefault } from '../key.ts';
import { BUCKET, FILE, REGION } from './shared-forms.ts';

export const ANALYSIS_KEYS = {
  sampleFps: withDefault('SAMPLE_FPS', decimal('frames per second', 0.01, 60), '1.5', {
    description: 'sampled frames per second of footage',
  }),
  attributes: withDefault('ATTRIBUTES', oneOf('per-track', 'per-frame'), 'per-track', {
    description:
      'age and gender from the best crops of a person and the action at an interval, or all of them in every sampled frame',
  }),
  actionEverySeconds: withDefault('ACTION_EVERY_SECONDS', decimal('seconds', 0, 60), '2', {
    description:
      'footage between two action readings of a person who does not change; 0 reads in every sampled frame, as per-frame does',
  }),
  actionEverySamples: optional('ACTION_EVERY_SAMPLES', integer('samples', 1, 1000), {
    description: 'the same in sampled frames, instead of the seconds; per-frame goes by it, too',
  }),
  stillPictures: withDefault('STILL_PICTURES', oneOf('analyse', 'reuse'), 'analyse', {
    description:
      'what becomes of a sampled picture that has not changed: it is analysed, or shows what the last analysed one did, for at most 10 s',
  }),
  zonesFile: optional('ZONES_FILE', FILE, {
    description: 'zones of the camera (JSON); left, centre and right thirds when absent',
  }),
  highlightActions: withDefault('HIGHLIGHT_ACTIONS', labels(), 'collapse,falling,theft,violent,grabbing,anomaly', {
    description: 'actions whose first frame is kept as an image',
  }),
  highlightsBucket: optional('HIGHLIGHTS_BUCKET', BUCKET, {
    description: 'bucket of the highlight images; needed by the daemon unless HIGHLIGHT_ACTIONS is off',
    example: 'video-highlights',
  }),
  highlightsFailure: withDefault('HIGHLIGHTS_FAILURE', oneOf('degrade', 'fail'), 'degrade', {
    description: 'go on without an image that its bucket does not take, or fail the job',
  }),
} as const;

export const SCENE_KEYS = {
  source: withDefault('SCENE', oneOf('off', 'local', 'bedrock'), 'local', {
    description: 'who writes the scene texts',
  }),
  everySamples: withDefault('SCENE_EVERY_SAMPLES', integer('samples', 1, 100_000), '10', {
    description: 'sampled frames between two scene texts',
  }),
  failure: withDefault('SCENE_FAILURE', oneOf('degrade', 'fail'), 'degrade', {
    description: 'go on without a scene text that cannot be made, or fail the video',
  }),
  bedrockModelId: withDefault('BEDROCK_MODEL_ID', text('model id'), 'anthropic.claude-3-haiku-20240307-v1:0', {
    description: 'model on Amazon Bedrock',
  }),
  bedrockRegion: optional('BEDROCK_REGION', REGION, {
    description: 'region of Amazon Bedrock; AWS_REGION when absent',
  }),
  bedrockEndpointUrl: optional('BEDROCK_ENDPOINT_URL', httpUrl(), {
    description: 'another endpoint for Amazon Bedrock',
  }),
  bedrockMaxCallsPerVideo: withDefault('BEDROCK_MAX_CALLS_PER_VIDEO', integer('calls', 1, 100_000), '200', {
    description: 'paid calls of one video, retries included',
  }),
} as const;
