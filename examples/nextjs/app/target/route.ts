import { target } from '../../target';

/** Gets the browser's reports of what was shown. */
export const { POST } = target.beacon;
