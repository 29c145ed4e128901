const BYTES = 16;

/**
 * Makes a random id of 32 hexadecimal digits. It uses only globals that browsers have too, so that a bundle of the entry
 * for HTTP needs nothing of Node.
 */
export function newRandomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
