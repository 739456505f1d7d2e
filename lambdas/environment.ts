// The environment, by name. Only entries read it, at their top.

export function requireEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

/** One of several words; the first where nothing is set. */
export function choiceFromEnv<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
  const value = process.env[name] ?? choices[0]!;
  const found = choices.find((choice) => choice === value);
  if (!found) throw new Error(`${name} is "${value}"; it can be ${choices.join(', ')}.`);
  return found;
}

/** @throws Error for anything but a number above 0, or from 0 on. */
export function numberFromEnv(
  name: string,
  ifUnset: number,
  { isZeroFine = false }: { isZeroFine?: boolean } = {},
): number {
  const text = process.env[name];
  if (!text) return ifUnset;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || (value === 0 && !isZeroFine))
    throw new Error(`${name} is "${text}"; it takes a number ${isZeroFine ? 'from 0 on' : 'above 0'}.`);
  return value;
}
