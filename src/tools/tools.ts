/**
 * Tools for the rules of on-device decisioning: types of the offers in an artifact. They are pure: they read
 * no file and ask no server.
 *
 * @packageDocumentation
 */

export { type ToTypesOptions, toTypes } from './mbox-types.js';
