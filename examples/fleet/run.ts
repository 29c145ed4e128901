import { listen } from '../listen.js';
import { Fleet } from './fleet.js';
import { toServer } from './server.js';

/** Runs a fleet and its page until Ctrl-C. */
export async function run({ PORT = '3000', FLEET_MODE }: NodeJS.ProcessEnv): Promise<void> {
  const fleet = await Fleet.start(FLEET_MODE === 'always' ? 'always' : 'overflow');
  let isEnding = false;
  const end = async () => {
    if (!isEnding) {
      isEnding = true;
      await fleet.end();
      process.exit();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void end());
  }
  const server = await listen(toServer(fleet), Number(PORT));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  console.log(`http://localhost:${port} shows the fleet. Ctrl-C ends it.`);
}
