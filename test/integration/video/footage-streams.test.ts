import { STREAM_FILES } from '../../harness/footage-files/stream-files.ts';
import { holdFiles } from '../../harness/footage-files/hold-files.ts';

holdFiles(STREAM_FILES);
