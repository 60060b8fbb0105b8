import { TRUNCATION_FILES } from '../../harness/footage-files/truncation-files.ts';
import { holdFiles } from '../../harness/footage-files/hold-files.ts';

holdFiles(TRUNCATION_FILES);
