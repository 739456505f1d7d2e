// Says in a sentence what is wrong where Node.js 24 did not come with the packages. Must run on any Node.js.

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `This needs Node.js 24 and found ${process.version}. The npm package "node" brings it by an install script; ` +
      'run "npm install" without --ignore-scripts, or install Node.js 24 yourself.',
  );
  process.exit(1);
}
