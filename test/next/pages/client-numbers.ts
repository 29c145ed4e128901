const shared: typeof globalThis & { clientNumbers?: WeakMap<object, number>; clientCount?: number } =
  globalThis;

/** Numbers the clients of this process, in whatever bundle they are met. */
export function numberOf(client: object): number {
  shared.clientNumbers ??= new WeakMap();
  const known = shared.clientNumbers.get(client);
  if (known !== undefined) {
    return known;
  }
  shared.clientCount = (shared.clientCount ?? 0) + 1;
  shared.clientNumbers.set(client, shared.clientCount);
  return shared.clientCount;
}
