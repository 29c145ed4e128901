const SUPPLEMENTAL_DATA_ID = /^[\dA-F]{16}-[\dA-F]{16}$/i;

/** Tells whether a value has the form of a supplemental data id. */
export function isSupplementalDataId(value: unknown): value is string {
  return typeof value === 'string' && SUPPLEMENTAL_DATA_ID.test(value);
}

const BYTES_OF_A_HALF = 8;

/**
 * Makes a supplemental data id as Analytics writes it: `XXXXXXXXXXXXXXXX-XXXXXXXXXXXXXXXX`, in hexadecimal digits. It
 * uses only globals that browsers have too, so that a bundle with a visitor needs nothing of Node.
 */
export function newSupplementalDataId(): string {
  return `${newHalf()}-${newHalf()}`;
}

function newHalf(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES_OF_A_HALF));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}
