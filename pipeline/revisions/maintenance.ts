// The commands of operators and schedules: which recipes videos are at, planning them anew, the sweep of what is no
// longer current, and taking up again what could not be done.

import * as z from 'zod';
import { RecordError, RequestError, SourceError } from '../../core/errors.ts';
import { CARDS, cardKey, isVideoId, parseCardKey } from '../../core/artifacts/keys.ts';
import { addVideo, recipesOfVideo } from './recipe-report.ts';
import type { RecipeCount, VideoRevisions } from './recipe-report.ts';
import { replan } from './replan.ts';
import type { Replanned } from './replan.ts';
import { resumeDelayed, resumeLost } from '../life/resume.ts';
import type { Resumed } from '../life/resume.ts';
import { logFailure } from '../observe.ts';
import { sweepRevisions } from './sweep.ts';
import type { Sweep, SweepOptions } from './sweep.ts';
import type { World } from '../world.ts';

const id = z.string().refine(isVideoId, 'is not the id of a video');
const page = { cursor: id.optional(), limit: z.int().min(1).optional() };

const requestSchema = z.union([
  z.strictObject({ command: z.literal('recipes'), id }),
  z.strictObject({ command: z.literal('recipes'), ...page }),
  z.strictObject({ command: z.literal('replan'), id }),
  z.strictObject({ command: z.literal('replan'), all: z.literal(true), ...page }),
  z.strictObject({ command: z.literal('sweep') }),
  z.strictObject({ command: z.literal('resume'), lost: z.boolean().optional() }),
]);

export type MaintenanceRequest = z.infer<typeof requestSchema>;

export type MaintenanceAnswer =
  | VideoRevisions
  | { videos: number; recipes: RecipeCount[]; failed: Failure[]; nextCursor?: string }
  | { replanned: Replanned[]; failed: Failure[]; nextCursor?: string }
  | Resumed
  | Sweep;

interface Failure {
  id: string;
  code: string;
  message: string;
}

export type MaintenanceOptions = SweepOptions;

/** @throws RequestError INVALID_REQUEST, with all the commands there are */
export function maintenanceRequest(event: unknown): MaintenanceRequest {
  const parsed = requestSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw new RequestError(
    400,
    'INVALID_REQUEST',
    'Commands are {"command":"recipes"}, {"command":"recipes","id":ID}, {"command":"replan","id":ID}, ' +
      '{"command":"replan","all":true}, {"command":"sweep"}, {"command":"resume"} and {"command":"resume","lost":true}; those for all videos take ' +
      '"limit" and "cursor".',
  );
}

/** Every command may be given again: what is done is not done twice. */
export async function maintain(
  request: MaintenanceRequest,
  world: World,
  options: MaintenanceOptions,
): Promise<MaintenanceAnswer> {
  const { now, enqueue, graceSeconds } = options;
  switch (request.command) {
    case 'sweep':
      return sweepRevisions(world, options);
    case 'resume':
      return request.lost ? resumeLost(world, options) : resumeDelayed(world, options);
    case 'recipes': {
      if ('id' in request) return recipesOfVideo(request.id, world, graceSeconds);
      const recipes = new Map<string, RecipeCount>();
      let videos = 0;
      const rest = await forEachVideo(request, world, options, async (video) => {
        if (await addVideo(video, recipes, world)) videos += 1;
      });
      return { videos, recipes: [...recipes.values()], ...rest };
    }
    case 'replan': {
      if ('id' in request) {
        return { replanned: [await replan(request.id, world, enqueue, now)], failed: [] };
      }
      const replanned: Replanned[] = [];
      const rest = await forEachVideo(request, world, options, async (video) => {
        const done = await replan(video, world, enqueue, now).catch(unlessNothingToPlan);
        if (done) replanned.push(done);
      });
      return { replanned, ...rest };
    }
  }
}

/** One after the other, newest first; one that fails is named, and the others go on. */
async function forEachVideo(
  { cursor, limit = Infinity }: { cursor?: string | undefined; limit?: number | undefined },
  { media }: World,
  { isTimeUp }: MaintenanceOptions,
  visit: (id: string) => Promise<void>,
): Promise<{ failed: Failure[]; nextCursor?: string }> {
  const failed: Failure[] = [];
  let [last, visited] = [cursor, 0];
  for await (const { key } of media.list(CARDS, cursor && cardKey(cursor))) {
    const video = parseCardKey(key);
    if (!video) continue;
    if (visited === limit || isTimeUp()) return { failed, ...(last ? { nextCursor: last } : {}) };
    try {
      await visit(video);
    } catch (error) {
      failed.push({ id: video, ...reasonOf(video, error) });
    }
    last = video;
    visited += 1;
  }
  return { failed };
}

function reasonOf(video: string, error: unknown): { code: string; message: string } {
  if (error instanceof RequestError || error instanceof SourceError || error instanceof RecordError) {
    return { code: error.code, message: error.message };
  }
  logFailure(video, error);
  return { code: 'INTERNAL', message: (error as Error).message };
}

/** Not uploaded yet, refused, or deleted since. */
function unlessNothingToPlan(error: unknown): undefined {
  if (!(error instanceof RequestError && error.code === 'NOT_FOUND')) throw error;
}
