// Lambda as an account has it: so many executions at once of all functions together, machines that start cold and are kept
// warm for a while, and those of tenants, which are counted.

import { AWS_PRICES } from '../../../core/work/prices.ts';
import {
  COLD_START,
  FUNCTIONS,
  IDLE_SECONDS,
  SCALING,
  TENANT_MACHINES_PER_EXECUTION,
  WARM_START,
} from './parameters.ts';
import type { Duration, FunctionName } from './parameters.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** For want of what Lambda refuses. */
export type Want = 'executions' | 'machines' | 'growth';

export class Throttled extends Error {
  readonly want: Want;
  constructor(want: Want) {
    super(`Lambda refuses for want of ${want}`);
    this.want = want;
  }
}

export interface Account {
  /**
   * @param tenant the empty text for none
   * @throws Throttled; whatever `work` throws
   */
  invoke<T>(name: FunctionName, tenant: string, work: () => Promise<T>): Promise<T>;
  /** Executions that are free. */
  free(): number;
  dollars(): number;
  /** Of the refusals: for want of an execution, of a tenant's machine, and because a function grows no faster. */
  refused(): Readonly<Record<Want, number>>;
}

interface Machine {
  tenant: string;
  /** Since when it has been idle; Infinity while it works. */
  idleSince: number;
}

export function simulatedAccount(
  executions: number,
  { clock, random }: { clock: VirtualClock; random: () => number },
): Account {
  let [used, dollars] = [0, 0];
  const refused = { executions: 0, machines: 0, growth: 0 };
  const fleets = new Map<FunctionName, ReturnType<typeof fleetOf>>();

  return {
    async invoke(name, tenant, work) {
      const { memoryMb, isOfTenants } = FUNCTIONS[name];
      if (used >= executions) {
        refused.executions += 1;
        throw new Throttled('executions');
      }
      const fleet = fleets.get(name) ?? fleetOf(executions, isOfTenants, clock, refused);
      fleets.set(name, fleet);
      const { machine, isCold } = fleet.take(tenant);
      used += 1;
      const begun = clock.now();
      try {
        await clock.sleep(secondsOf(isCold ? COLD_START : WARM_START, random));
        return await work();
      } finally {
        used -= 1;
        fleet.putBack(machine);
        const gigabyteSeconds = ((clock.now() - begun) * memoryMb) / 1024;
        dollars += gigabyteSeconds * AWS_PRICES.lambdaPerGigabyteSecond + AWS_PRICES.lambdaPerRequest;
      }
    },
    free: () => executions - used,
    dollars: () => dollars,
    refused: () => refused,
  };
}

/** The machines of one function. */
function fleetOf(
  executions: number,
  isOfTenants: boolean,
  clock: VirtualClock,
  refused: Record<Want, number>,
) {
  const idle = new Map<string, Machine[]>();
  // In the order in which they became idle, so that the first are the first to go.
  const waiting: { machine: Machine; since: number }[] = [];
  let alive = 0;
  let [growth, grownAt] = [SCALING.executions, 0];

  function removeExpired(): void {
    const before = clock.now() - IDLE_SECONDS;
    while (waiting.length > 0 && waiting[0]!.since < before) {
      const { machine, since } = waiting.shift()!;
      if (machine.idleSince !== since) continue; // it has worked since
      alive -= 1;
      const left = idle.get(machine.tenant)!.filter((each) => each !== machine);
      if (left.length > 0) idle.set(machine.tenant, left);
      else idle.delete(machine.tenant);
    }
  }

  return {
    /** @throws Throttled */
    take(tenant: string): { machine: Machine; isCold: boolean } {
      removeExpired();
      const known = idle.get(tenant)?.pop();
      if (known) {
        known.idleSince = Infinity;
        return { machine: known, isCold: false };
      }
      if (isOfTenants && tenant !== '' && alive >= TENANT_MACHINES_PER_EXECUTION * executions) {
        refused.machines += 1;
        throw new Throttled('machines');
      }
      const now = clock.now();
      growth = Math.min(
        SCALING.executions,
        growth + ((now - grownAt) * SCALING.executions) / SCALING.seconds,
      );
      grownAt = now;
      if (growth < 1) {
        refused.growth += 1;
        throw new Throttled('growth');
      }
      growth -= 1;
      alive += 1;
      return { machine: { tenant, idleSince: Infinity }, isCold: true };
    },
    putBack(machine: Machine): void {
      const now = clock.now();
      machine.idleSince = now;
      idle.set(machine.tenant, [...(idle.get(machine.tenant) ?? []), machine]);
      waiting.push({ machine, since: now });
    },
  };
}

/** One by chance. */
export const secondsOf = ({ medianSeconds, spread }: Duration, random: () => number): number =>
  medianSeconds * Math.exp(spread * normal(random));

/** Box and Muller. */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
