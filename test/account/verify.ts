/** Asks a Target account what docs/verified.md assumes: `npm run verify:account -- --help`. */
import { verifyAccount } from './verify-account.js';

process.exitCode = await verifyAccount(process.argv.slice(2), process.env, (line) => console.log(line));
