/**
 * Whether memory, timers, handles and sockets stay flat for as long as it takes to be sure; `npm run soak`. Arguments
 * name the scenarios to run. Ends with the line `N passed, N failed`.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { endRun } from '../package/report.js';
import { bytesForEach, faultsOf, type SoakResult } from './measure.js';

const SCENARIOS = ['visitors', 'on-device-clients', 'server-side-clients', 'polling'];
const run = promisify(execFile);

async function soak(scenario: string): Promise<boolean> {
  const script = fileURLToPath(new URL('scenario.ts', import.meta.url));
  const started = performance.now();
  const { stdout } = await run(process.execPath, ['--expose-gc', '--import', 'tsx', script, scenario]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const result: SoakResult = JSON.parse(stdout);
  const faults = faultsOf(result);
  const { name, unit, samples } = result;
  const count = samples.at(-1)?.count.toLocaleString('en') ?? '0';
  const megabytes = samples.map(({ heapBytes }) => (heapBytes / 2 ** 20).toFixed(2)).join(' ');
  console.log(`${faults.length === 0 ? 'flat  ' : 'GROWS '} ${count} ${name} (${seconds} s)`);
  console.log(`       ${bytesForEach(result).toFixed(3)} bytes for each ${unit}; heap in MiB: ${megabytes}`);
  console.log(
    `       left: ${JSON.stringify(samples.at(-1)?.resources)}, ${samples.at(-1)?.sockets} sockets`,
  );
  for (const fault of faults) {
    console.log(`       ${fault}`);
  }
  return faults.length === 0;
}

const wanted = process.argv.slice(2);
let [passed, failed] = [0, 0];
for (const scenario of wanted.length > 0 ? wanted : SCENARIOS) {
  const isFlat = await soak(scenario).catch((error: unknown) => {
    console.log(`FAILED ${scenario}: ${error}`);
    return false;
  });
  if (isFlat) {
    passed += 1;
  } else {
    failed += 1;
  }
}
endRun({ passed, failed });
