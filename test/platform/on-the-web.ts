import { jest } from '@jest/globals';

// Imported first: `#platform` is its web side for all that is imported after this.
jest.mock('#platform', () => jest.requireActual('../../src/platform/web.js'));
