/** Runs the scenario that its second argument names in this process, and prints its result as a line of JSON. */
import { soakOnDevice, soakServerSide } from './clients.js';
import { soakPolling } from './polling.js';
import { soakVisitors } from './visitors.js';

/** What is run, each in a process of its own. */
export const SCENARIOS = {
  visitors: soakVisitors,
  'on-device-clients': soakOnDevice,
  'server-side-clients': soakServerSide,
  polling: soakPolling,
};
export type Scenario = keyof typeof SCENARIOS;

const name = process.argv[2] as Scenario;
console.log(JSON.stringify(await SCENARIOS[name]()));
