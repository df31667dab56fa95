// Runs JavaScript programs one after another in one process; like run_programs.py, for the files named as arguments.
const results = [];
const write = process.stdout.write.bind(process.stdout);
for (const file of process.argv.slice(2)) {
  let printed = "";
  let failure = "";
  process.stdout.write = (text) => {
    printed += text;
    return true;
  };
  try {
    await import(file);
  } catch (error) {
    failure = `${error.stack}`;
  }
  process.stdout.write = write;
  results.push([printed, failure]);
}
write(JSON.stringify(results));
