// The tests that take minutes.
import config from './jest.config.js';

export default {
  ...config,
  testMatch: ['<rootDir>/test/extended/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
