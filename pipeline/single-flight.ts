// Who asks for what is already being made waits for that.

export function singleFlight<T>(): (key: string, make: () => Promise<T>) => Promise<T> {
  const flying = new Map<string, Promise<T>>();
  return (key, make) => {
    const already = flying.get(key);
    if (already) return already;
    const flight = make().finally(() => flying.delete(key));
    flying.set(key, flight);
    return flight;
  };
}
