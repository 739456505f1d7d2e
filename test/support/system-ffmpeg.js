// Has the code under test run the ffmpeg and ffprobe of the system in place of those that npm installs: a setup file of
// jest.extended.config.js.

import { execFileSync } from 'node:child_process';

const pathOf = (name) => execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();

process.env.FFMPEG_PATH = pathOf('ffmpeg');
process.env.FFPROBE_PATH = pathOf('ffprobe');
