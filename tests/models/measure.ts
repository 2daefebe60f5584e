/** Loaded before tf2rust (`node --import`): says at the end, as the last line of stderr, what the conversion took. */

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stderr.write(
    `\n${JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, bytes: maxRSS * 1024 })}`,
  );
});
