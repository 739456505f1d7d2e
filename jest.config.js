// Node runs our TypeScript as it is; jest only needs the types stripped and the imports kept (ESM).
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // What takes minutes: `npm run test:extended`, which .ci/run calls as well.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/extended/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/esbuild-transform.js' },
  // For a test that hangs, not for one on a slow machine.
  testTimeout: 1_800_000,
  // Two workers: the tests run ffmpeg, which brings its own threads.
  maxWorkers: 2,
};
