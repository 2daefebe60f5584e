/**
 * `npm run bench:exe -- ZOO`: converts every model below the folder ZOO, builds one program of all the crates, and
 * prints as its last line the command that runs it by the protocol of ../shared/bench/README.md.
 */

import { buildProgram } from './program.mjs';
import { zooFolder } from './settings.mjs';

const { program, refused } = await buildProgram(process.argv[2] ?? zooFolder);
for (const [model, reason] of refused) console.log(`${model} is not in it: ${reason}`);
console.log(program);
