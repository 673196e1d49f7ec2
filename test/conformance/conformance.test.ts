/** The core prints what others' cores print: every transcript that is at hand. */

import { relative } from 'node:path';
import t from 'tap';
import { corpusFolder, transcriptsBelow, whyNoCorpus } from './corpus.ts';
import { runTranscript } from './run-transcript.ts';

const reason = whyNoCorpus();

t.test('transcripts of other cores', { skip: reason ?? false }, async (t) => {
  const files = transcriptsBelow(corpusFolder);
  t.ok(files.length > 0, `${files.length} transcripts`);
  for (const { path, text } of files) {
    await t.test(relative(corpusFolder, path), async (t) => {
      const { cases, failures } = runTranscript(text);
      t.ok(cases > 0, `${cases} cases`);
      t.same(failures, []);
    });
  }
});
