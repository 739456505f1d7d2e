// The fallback origin, behind a function URL: streams, as a segment may exceed what a buffered answer can carry.

import { streamHandle } from 'hono/aws-lambda';
import { httpOrigin } from '../pipeline/http-origin.ts';
import { worldFromEnvironment } from './world.ts';

export const handler = streamHandle(httpOrigin(worldFromEnvironment()));
