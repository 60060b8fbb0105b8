import { DURATION_FILES } from '../../harness/footage-files/duration-files.ts';
import { holdFiles } from '../../harness/footage-files/hold-files.ts';

holdFiles(DURATION_FILES);
