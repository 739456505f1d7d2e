// Runs a state machine as it stands in a template; aws-local-stepfunctions interprets the language.

import { StateMachine } from 'aws-local-stepfunctions';
import type { Json } from '../../lib/support/variants.ts';
import type { Reply } from './lambda-runtime.ts';

export interface StateMachineServices {
  /** @throws ServiceError as a caller of Lambda's API sees it: throttled, say. */
  invoke(functionArn: string, payload: unknown): Promise<Reply>;
}

export type ExecutionResult =
  | { status: 'SUCCEEDED'; output: Json }
  | { status: 'FAILED'; error: string; cause: string }
  | { status: 'ABORTED' };

/** The error's name is what Retry and Catch of a state compare. */
export class ServiceError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** The interpreter would give a task a minute, as the language's specification says; AWS gives it three years. */
const UNHURRIED = { TimeoutSeconds: 24 * 3600 };

/** @param aborted as when somebody ends it by StopExecution: what it has called goes on */
export async function execute(
  definition: Json,
  input: Json,
  services: StateMachineServices,
  aborted: AbortSignal,
): Promise<ExecutionResult> {
  const handlers: Record<string, (input: Json) => Promise<Json>> = {};
  const States = Object.fromEntries(
    Object.entries<Json>(definition.States).map(([name, state]) => {
      if (state.Type !== 'Task') return [name, state];
      handlers[name] = (parameters) => invokeFunction(state, parameters, services);
      return [name, { ...UNHURRIED, ...state }];
    }),
  );
  const machine = new StateMachine({ ...definition, States } as never);
  const { result, abort } = machine.run(input as never, {
    overrides: {
      taskResourceLocalHandlers: handlers as never,
      // The template's waits are for accounts that are busy for minutes. That they are long is tested with the template.
      retryIntervalOverrides: Object.fromEntries(Object.keys(handlers).map((name) => [name, 1])),
    },
  });
  aborted.addEventListener('abort', () => abort(), { once: true });
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (failed) {
    if (aborted.aborted) return { status: 'ABORTED' };
    const { name, message } = (failed as { cause: Error }).cause;
    return { status: 'FAILED', error: name, cause: message };
  }
}

async function invokeFunction(
  state: Json,
  parameters: Json,
  { invoke }: StateMachineServices,
): Promise<Json> {
  if (state.Resource !== 'arn:aws:states:::lambda:invoke') {
    throw new Error(`The resource ${state.Resource} is not known here.`);
  }
  const reply = await invoke(parameters.FunctionName, parameters.Payload);
  if ('payload' in reply) return { StatusCode: 200, Payload: reply.payload } as Json;
  if ('error' in reply) throw new ServiceError(reply.error.errorType, JSON.stringify(reply.error));
  throw new Error('A task cannot take a streamed answer.');
}
