require('./traces.cjs')(() => {
  for (const entry of process.argv.slice(2)) {
    require(entry);
  }
});
