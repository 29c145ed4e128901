import leavesNoTraces from './traces.cjs';

await leavesNoTraces(async () => {
  for (const entry of process.argv.slice(2)) {
    await import(entry);
  }
});
