import { CLOCK_FILES } from '../../harness/footage-files/clock-files.ts';
import { JOINED_FILES } from '../../harness/footage-files/joined-files.ts';
import { holdFiles } from '../../harness/footage-files/hold-files.ts';

holdFiles([...CLOCK_FILES, ...JOINED_FILES]);
