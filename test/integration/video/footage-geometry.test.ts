import { GEOMETRY_FILES } from '../../harness/footage-files/geometry-files.ts';
import { CODEC_FILES } from '../../harness/footage-files/codec-files.ts';
import { holdFiles } from '../../harness/footage-files/hold-files.ts';

holdFiles([...GEOMETRY_FILES, ...CODEC_FILES]);
