/** `npm run bless`: writes what tf2rust says now into the `error.txt` of every broken fixture. Read the diff. */

import fs from 'node:fs';
import { brokenCases, refuseCase } from './crates/broken.ts';

for (const broken of brokenCases()) {
  const { stderr, status } = refuseCase(broken);
  const before = fs.existsSync(broken.expected) ? fs.readFileSync(broken.expected, 'utf8') : '';
  if (status === 0) console.log(`${broken.name}: converts, so it has no error.txt`);
  else if (stderr !== before) {
    fs.writeFileSync(broken.expected, stderr);
    console.log(`${broken.name} (exit code ${status}): ${stderr.trim()}`);
  }
}
