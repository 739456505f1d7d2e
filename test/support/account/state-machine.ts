// Runs a state machine as it stands in a template. aws-local-stepfunctions interprets the language; it knows no
// distributed maps, so each becomes a task that reads the items and runs the children as executions of their own.

import { StateMachine } from 'aws-local-stepfunctions';
import type { Json } from '../../lib/support/variants.ts';
import type { Reply } from './lambda-runtime.ts';

export interface StateMachineServices {
  /** @throws ServiceError as a caller of Lambda's API sees it: throttled, say. */
  invoke(functionArn: string, payload: unknown): Promise<Reply>;
  readItems(location: { Bucket: string; Key: string }): Promise<unknown[]>;
}

export type ExecutionResult =
  { status: 'SUCCEEDED'; output: Json } | { status: 'FAILED'; error: string; cause: string };

/** The error's name is what Retry and Catch of a state compare. */
export class ServiceError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** The interpreter would give a task a minute, as the language's specification says; AWS gives it three years. */
const UNHURRIED = { TimeoutSeconds: 24 * 3600 };

/** What goes from one state to the next. Source: AWS, "Step Functions service quotas". */
const MAX_STATE_BYTES = 256 * 1024;

export async function execute(
  definition: Json,
  input: Json,
  services: StateMachineServices,
): Promise<ExecutionResult> {
  const handlers: Record<string, (input: Json) => Promise<Json>> = {};
  const States = Object.fromEntries(
    Object.entries<Json>(definition.States).map(([name, state]) => {
      if (state.Type === 'Task') {
        handlers[name] = (parameters) => invokeFunction(state, parameters, services);
        return [name, { ...UNHURRIED, ...state }];
      }
      if (state.ItemProcessor?.ProcessorConfig.Mode !== 'DISTRIBUTED') return [name, state];
      handlers[name] = (location) => mapItems(name, state, location, services);
      return [name, { ...UNHURRIED, ...asTask(name, state) }];
    }),
  );
  const machine = new StateMachine({ ...definition, States } as never);
  const { result } = machine.run(input as never, {
    overrides: {
      taskResourceLocalHandlers: handlers as never,
      // The template's waits are for accounts that are busy for minutes. That they are long is tested with the template.
      retryIntervalOverrides: Object.fromEntries(Object.keys(handlers).map((name) => [name, 1])),
    },
  });
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (failed) {
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

const KNOWN = ['Type', 'ItemReader', 'ItemProcessor', 'MaxConcurrency', 'ToleratedFailurePercentage'];
const KEPT = ['Catch', 'Retry', 'Next', 'End', 'ResultPath', 'ResultSelector'];

function asTask(name: string, state: Json): Json {
  for (const field of Object.keys(state)) {
    if (![...KNOWN, ...KEPT].includes(field))
      throw new Error(`${field} of the map ${name} is not known here.`);
  }
  const { Resource, Parameters, ReaderConfig } = state.ItemReader;
  if (!/:s3:getObject$/.test(Resource) || ReaderConfig.InputType !== 'JSON') {
    throw new Error(`The items of the map ${name} are read in a way that is not known here.`);
  }
  const kept = Object.fromEntries(Object.entries<Json>(state).filter(([field]) => KEPT.includes(field)));
  return { ...kept, Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Parameters };
}

async function mapItems(
  name: string,
  state: Json,
  location: { Bucket: string; Key: string },
  services: StateMachineServices,
): Promise<Json> {
  const items = await services.readItems(location);
  if (items.length === 0) throw new Error(`The map ${name} was given no items.`); // what AWS does then, we need not know
  const { ProcessorConfig: _, ...child } = state.ItemProcessor as Json;
  const results: ExecutionResult[] = [];
  const waiting = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, item] = next;
      results[index] = await execute(child, item, services);
    }
  };
  await Promise.all(Array.from({ length: state.MaxConcurrency }, worker));
  const failed = results.filter(({ status }) => status === 'FAILED').length;
  if ((failed / results.length) * 100 > (state.ToleratedFailurePercentage ?? 0)) {
    throw new ServiceError('States.ExceedToleratedFailureThreshold', `${failed} children failed.`);
  }
  const output = results.flatMap((result) => (result.status === 'SUCCEEDED' ? [result.output] : []));
  if (JSON.stringify(output).length > MAX_STATE_BYTES) {
    throw new ServiceError('States.DataLimitExceeded', `The results of the map ${name} are too large.`);
  }
  return output;
}
