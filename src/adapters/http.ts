export {
  type CookieOptions,
  readCookies,
  type SetCookieOptions,
  toSetCookieHeaders,
} from '../visits/cookies.js';
export { toInlineJson } from '../visits/inline-json.js';
