import { PROBER_FILES } from '../../harness/footage-files/prober-files.ts';
import { holdFiles } from '../../harness/footage-files/hold-files.ts';

holdFiles(PROBER_FILES);
