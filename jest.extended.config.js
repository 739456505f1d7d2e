// The tests that take minutes; and, of the others, those of decoding and encoding once more, by Debian's ffmpeg.
import config from './jest.config.js';

// These two are not a project's.
const { maxWorkers, testTimeout, ...project } = config;

// `seeking`: every kind of container and codec, copied and cut. `picture`: colours, shapes and fields. `lost`: what decoders say
// of damage. Others pass as well (FFMPEG_PATH=… FFPROBE_PATH=… npx jest test/sources),
// and would take minutes more.
const SYSTEM_FFMPEG = ['sources/seeking', 'sources/picture', 'pipeline/lost'];

export default {
  maxWorkers,
  testTimeout,
  projects: [
    {
      ...project,
      displayName: 'extended',
      testMatch: ['<rootDir>/test/extended/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/'],
    },
    {
      ...project,
      displayName: 'system-ffmpeg',
      testMatch: SYSTEM_FFMPEG.map((name) => `<rootDir>/test/${name}.test.ts`),
      setupFiles: ['<rootDir>/test/support/system-ffmpeg.js'],
    },
  ],
};
