/**
 * Functions that look at the rules of on-device decisions. They are pure: they read no file and ask no server.
 *
 * @packageDocumentation
 */

export { type ToTypesOptions, toTypes } from './mbox-types.js';
