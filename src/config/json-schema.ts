/** The schema of the configuration as a file, for editors that complete and check. */

import { ConfigSchema } from './schema.ts';

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** Content of `docs/configuration.schema.json`, as plain data. */
export function configurationSchema(): unknown {
  return JSON.parse(JSON.stringify({ $schema: DRAFT, title: 'mailraft.yaml', ...ConfigSchema }));
}
