/** The oldest Node.js that the project runs on, as in the `engines` of package.json. */
const OLDEST = [20, 19];

/** Undefined when this Node.js will do, else what to say. */
export function nodeFault(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return (
    `Tidemill needs Node.js ${OLDEST.join('.')} or newer and this is ${version}.\n` +
    'Install a newer one (https://nodejs.org, or "nvm install 22") and run the same command again.'
  );
}
