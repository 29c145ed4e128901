/** This entry holds functions that look at artifacts. They are pure: they read no file and ask no server. */
export { type ToTypesOptions, toTypes } from './mbox-types.js';
